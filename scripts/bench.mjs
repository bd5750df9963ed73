// Runs benchmarks: all of them, or those named: `npm run bench -- query vector`, `npm run bench -- scenes 4096 5000 20000`,
// `npm run bench -- prompts 100 100`.
// Those in *.bench.ts are timed by vitest; each of the others is a program that measures processes of its own.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const PROGRAMS = ['scenes', 'prompts', 'memory', 'export-memory', 'turf', 'tiles', 'ogc', 'dashboard', 'sources'];
/** Run for an hour or need much disk, so only when asked for. */
const BY_NAME_ONLY = ['soak', 'growth'];
const NEEDS_SERVER = ['export-memory', 'tiles', 'ogc', 'dashboard'];

function run(command, parameters) {
  const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', command), ...parameters], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = status ?? 1;
}

const timed = (names) => run('vitest/vitest.mjs', ['bench', '--run', ...names]);
const measured = (program, parameters = []) => run('tsx/dist/cli.mjs', [`test/bench/${program}.ts`, ...parameters]);

const names = process.argv.slice(2);
if ([...PROGRAMS, ...BY_NAME_ONLY].includes(names[0])) measured(names[0], names.slice(1));
else {
  timed(names);
  for (const program of names.length === 0 ? PROGRAMS : []) {
    if (NEEDS_SERVER.includes(program) && !process.env.DATABASE_URL) {
      console.log(`${program}: set DATABASE_URL to a PostgreSQL server with PostGIS`);
    } else measured(program);
  }
}
