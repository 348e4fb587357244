import { defineConfig } from 'vitest/config';
import { fromSource } from './scripts/lib/source-conditions.ts';

export default defineConfig({
  ssr: fromSource,
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          testTimeout: 20_000, // a shared machine is slow, never a test's own wait
          include: ['packages/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts', 'benchmarks/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.heavy.test.ts'],
          typecheck: {
            enabled: true,
            checker: 'node_modules/ts7/bin/tsc',
            include: ['packages/*/{src,test}/**/*.test-d.ts'],
            tsconfig: './tsconfig.tests.json',
            ignoreSourceErrors: true, // `npm run check` compiles the whole tree and reports those
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.integration.test.ts'],
          globalSetup: ['./scripts/services/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
