// Builds the TypeScript client into clients/typescript/dist: types of its documents from schema/schema.graphql, then `tsc`.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

function run(command, parameters) {
  const file = path.join(root, 'node_modules', command);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...parameters], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return;
  console.error(stdout, stderr);
  process.exit(status ?? 1);
}

rmSync(path.join(root, 'clients/typescript/dist'), { recursive: true, force: true });
run('@graphql-codegen/cli/cjs/bin.js', ['--config', 'clients/typescript/codegen.config.ts']);
run('typescript/bin/tsc', ['-p', 'clients/typescript']);
