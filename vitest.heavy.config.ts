import { defineConfig } from 'vitest/config';
import { fromSource } from './scripts/lib/source-conditions.ts';

// What takes minutes to hours: npm run test:heavy
export default defineConfig({
  ssr: fromSource,
  test: { include: ['packages/*/{src,test}/**/*.heavy.test.ts'], testTimeout: 4 * 60 * 60_000 },
});
