/** Vite's settings for reading the packages from their sources: our condition before Vite's own for servers. */
export const fromSource: { readonly resolve: { readonly conditions: string[] } } = {
  resolve: { conditions: ['@keelson/source', 'module', 'node', 'development|production'] },
};
