/** Starts `convert-worker.ts` from its source: tsx does not reach into worker threads by itself. */
import { register } from 'tsx/esm/api';

register();
await import('./convert-worker.ts');
