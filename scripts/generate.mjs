// Writes the Prisma client to src/database/generated.
//
// Every command of Prisma's CLI first looks for its schema engine and downloads it when PRISMA_SCHEMA_ENGINE_BINARY names no
// existing file. Generating a client never starts that engine, so the path of Node itself, which exists on every system, is
// given: no download, no network.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { status, error } = spawnSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate'], {
  cwd: join(dirname(fileURLToPath(import.meta.url)), '..'),
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
  stdio: 'inherit',
});
if (error) throw error;
process.exit(status ?? 1);
