import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // type-graphql loads the CommonJS build of graphql; Vite would pick the ES build, and one schema cannot mix two copies.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  test: {
    include: ['test/**/*.test.ts'],
    benchmark: { include: ['test/bench/**/*.bench.ts'] },
    globalSetup: ['test/database/prepared-database.ts'],
    // More than half of a test file's time is waiting for a database or a process: three workers pay even on two cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Files of one worker share what they import: a third of all its work. What they start they close, and keep no state in modules.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
