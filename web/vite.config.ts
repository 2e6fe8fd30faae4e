import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { licences } from './licences';

// Everything is served by the server itself, under a policy that lets no page run an inline script or load from elsewhere.
export default defineConfig({
  plugins: [svelte(), licences()],
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/docs': 'http://127.0.0.1:8080', '/share': 'http://127.0.0.1:8080' } },
});
