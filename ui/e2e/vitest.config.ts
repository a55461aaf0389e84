import { defineConfig } from 'vitest/config';

// The dashboard as people have it: served by the real gateway with the demo account, in a real browser.
export default defineConfig({
  test: {
    dir: 'e2e',
    include: ['**/*.e2e.ts'],
    environment: 'node',
    // Each file has a gateway and a browser of its own.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['e2e/support/ready.ts'],
  },
});
