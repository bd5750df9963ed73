// Makes a checkout runnable: installs packages when the lock file is newer than what is installed, generates the
// database client, and builds the dashboard. Every npm script that needs either runs this first, so that a newcomer needs no set-up command.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const at = (...parts) => path.join(root, ...parts);
const newer = (file, than) => !existsSync(than) || statSync(file).mtimeMs > statSync(than).mtimeMs;

function run(command, args) {
  // One string through the shell: npm is a .cmd file on Windows.
  const { status } = spawnSync([command, ...args].join(' '), { cwd: root, stdio: ['ignore', 2, 2], shell: true });
  if (status !== 0) process.exit(status ?? 1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`TerraQL needs Node 20.19 or newer; this is ${process.version}`);
  process.exit(1);
}
if (newer(at('package-lock.json'), at('node_modules', '.package-lock.json'))) {
  console.error('Installing packages (once, about a minute) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
if (newer(at('prisma', 'schema.prisma'), at('src', 'database', 'generated', 'client.ts'))) {
  run('node', ['scripts/generate.mjs']);
}
const sources = [
  at('schema', 'schema.graphql'),
  ...filesBelow(at('src', 'dashboard')),
  at('scripts', 'build-dashboard.mjs'),
  ...filesBelow(at('schema', 'operations')),
];
if (sources.some((file) => newer(file, at('dist', 'dashboard', 'graphiql.html.gz')))) {
  console.error('Building the dashboard ...');
  run('node', ['scripts/build-dashboard.mjs']);
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('generated'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}
