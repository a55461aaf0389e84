import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

// Two pages: the dashboard, which the gateway serves, and the desktop window's own page for when no gateway runs.
export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  build: {
    rolldownOptions: {
      // How long each plugin took is not what a build is asked for.
      checks: { bundlerTimings: false },
      input: ['index.html', 'shell.html'],
    },
    // Everything is a file of its own: the content security policy allows no data: scripts, styles or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    // `npm run dev` beside a running gateway: sign in there first, then open this page under the same host name.
    proxy: { '/api': 'http://127.0.0.1:8081', '/login': 'http://127.0.0.1:8081' },
  },
  // Tests run the code that runs in a browser, without one.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: { include: ['src/**/*.test.ts', 'scripts/**/*.test.mjs'], environment: 'node', testTimeout: 20_000 },
});
