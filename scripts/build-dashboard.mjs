// Builds the dashboard and the GraphiQL page into dist/dashboard, from where the service serves them: types of its documents
// from schema/schema.graphql, then `vite`. Nothing is loaded from elsewhere, now or later.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const root = path.resolve(import.meta.dirname, '..');
const operations = path.join(root, 'schema', 'operations');
const built = path.join(root, 'dist', 'dashboard');

function run(command, parameters) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'node_modules', command), ...parameters],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  if (status === 0) return;
  console.error(stdout, stderr);
  process.exit(status ?? 1);
}

const examples = readdirSync(operations)
  .filter((file) => file.endsWith('.graphql'))
  .toSorted()
  .map((file) => {
    const variables = path.join(operations, `${path.parse(file).name}.json`);
    return {
      query: readFileSync(path.join(operations, file), 'utf8'),
      variables: existsSync(variables) ? readFileSync(variables, 'utf8') : null,
    };
  });

run('@graphql-codegen/cli/cjs/bin.js', ['--config', 'src/dashboard/codegen.config.ts']);
if (!process.argv.includes('--types')) {
  run('vite/bin/vite.js', ['build', '--config', 'src/dashboard/vite.config.ts', '--logLevel', 'error']);
  run('tsx/dist/cli.mjs', ['scripts/dashboard-operations.ts']);
  const page = renderGraphiQL({
    title: 'TerraQL',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    defaultTabs: examples,
  });
  // GraphiQL takes the variables of the first tab from its storage alone.
  const seed = `localStorage.getItem('graphiql:tabState') ?? localStorage.setItem('graphiql:variables', ${JSON.stringify(examples[0].variables)})`;
  const seeded = page.replace(/<head[^>]*>/i, (head) => `${head}<script>${seed}</script>`);
  if (seeded === page) throw new Error('the page of GraphiQL has no head');
  writeFileSync(path.join(built, 'graphiql.html.gz'), gzipSync(seeded));
}
