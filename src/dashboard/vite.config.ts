import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Builds the dashboard into files that the service serves at `/`, without anything from elsewhere. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: path.resolve(import.meta.dirname, '../../dist/dashboard'),
    emptyOutDir: true,
    // The strict content security policy allows no data: URL but for images.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
  // Without it no map: MapLibre 6 loads its worker as a module.
  worker: { format: 'es' },
});
