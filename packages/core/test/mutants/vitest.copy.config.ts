import { defineConfig } from 'vitest/config';

// For a copy of the core, whose root is given on the command line.
export default defineConfig({ test: { include: ['test/laws/**/*.test.ts'], testTimeout: 5000 } });
