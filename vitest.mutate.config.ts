import { defineConfig } from 'vitest/config';
import { fromSource } from './scripts/lib/source-conditions.ts';

// The tests that Stryker runs against each mutant: npm run mutate
export default defineConfig({
  ssr: fromSource,
  test: {
    include: ['packages/core/{src,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.heavy.test.ts'],
  },
});
