import { defineConfig } from 'vitest/config';

/** Tests against real peers (Chromium, Prometheus' promtool): slower, and skipped, saying so, where a peer is absent. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
