import { defineConfig } from 'vitest/config';

/** The full-size network against the published code's results: minutes and about 8 GB, so only by name. */
export default defineConfig({
  test: { include: ['test/golden/**/*.golden.ts'], testTimeout: 3_600_000, hookTimeout: 3_600_000 },
});
