let imported = 0;

/** A copy of loops.ts of one's own: a module that is imported under another URL is compiled and optimised on its own. */
export async function freshLoops(): Promise<typeof import('./loops.ts')> {
  imported++;
  return (await import(`./loops.ts?${imported}`)) as typeof import('./loops.ts');
}
