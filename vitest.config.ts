import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // type-graphql loads the CommonJS build of graphql; Vite would pick the ES build, and one schema cannot mix two copies.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  test: {
    include: ['test/**/*.test.ts'],
    benchmark: { include: ['test/bench/**/*.bench.ts'] },
    globalSetup: ['test/database/embedded-snapshot.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
