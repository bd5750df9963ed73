import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLIENT = path.join(ROOT, 'clients/typescript');
/** What the package depends on, and what its example uses. */
const DEPENDENCIES = ['graphql', 'graphql-ws', 'standardwebhooks', '@graphql-typed-document-node', '@types', 'ws'];
const run = promisify(execFile);

interface Added {
  readonly cursor: string;
  readonly featureCount: number;
  readonly segmentation: { readonly prompt: string };
}
interface Client {
  request(document: unknown, variables: object): Promise<unknown>;
  featuresAdded(filter?: object, after?: string): AsyncGenerator<Added, void, void>;
  features(request: object): AsyncGenerator<{ readonly id: string; readonly areaM2: number }>;
}
interface Package {
  readonly TerraqlClient: new (options: object) => Client;
  readonly verifyWebhook: (body: string, headers: object, secret: string) => { readonly type: string };
}

let folder = '';
let test: ServedApp;
let apiKey = '';
let packed: Package;

/** A project that has the package as npm would install it. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-client-'));
  const installed = path.join(folder, 'node_modules/terraql-client');
  await mkdir(installed, { recursive: true });
  await run(process.execPath, [path.join(ROOT, 'scripts/build-client.mjs')]);
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: CLIENT });
  await run('tar', ['xzf', path.join(folder, 'terraql-client-0.1.0.tgz'), '--strip-components=1', '-C', installed]);
  for (const name of DEPENDENCIES)
    await symlink(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  packed = (await import(pathToFileURL(path.join(installed, 'dist/index.js')).href)) as Package;
  test = await openServedApp({ TERRAQL_AUTH: 'required' });
  const { apiKeys } = test.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' });
  apiKey = (await apiKeys.create({ name: 'client', role: 'analyst', expiresAt: null })).secret;
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the packed TypeScript client', () => {
  it('runs the program of its page: uploads, asks, watches, pages through; its types hold', async () => {
    const page = await readFile(path.join(CLIENT, 'README.md'), 'utf8');
    const [, program] = /```ts\n(.*?)```/s.exec(page)!;
    const file = path.join(folder, 'program.ts');
    await writeFile(
      file,
      program!
        .replace('/data/field.tif', SUBURB)
        .replace('Where is water?', 'bright')
        .replace('pageSize: 500', 'pageSize: 3'),
    );
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--lib',
      'es2023,dom',
      '--types',
      'node',
    ];
    await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, file], {
      cwd: folder,
    });
    const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      env: { ...process.env, TERRAQL_URL: test.url, TERRAQL_API_KEY: apiKey },
    });
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('SUCCEEDED 1');
    const found = lines.filter((line) => /^[0-9a-f-]{36} [\d.]+$/.test(line));
    const { data } = await test.ask('{ features { totalCount } }');
    expect(found.length).toBe(data.features.totalCount);
    expect(new Set(found).size).toBe(found.length);
    expect(found.length).toBeGreaterThan(3);
  });

  it('misses no added features when its connection is lost', async () => {
    const wire = await breakableWire(Number(new URL(test.url).port));
    const client = new packed.TerraqlClient({ url: wire.url, apiKey, webSocket: WebSocket });
    const added = client.featuresAdded({}, '0-0');
    const first = await added.next();
    expect(first.value).toMatchObject({ segmentation: { prompt: 'bright' } });
    wire.cut();
    await test.segment(['dark']);
    const second = await added.next();
    expect(second.value).toMatchObject({ segmentation: { prompt: 'dark' } });
    await added.return();
    await wire.close();
  });

  it('throws what the service says of an error', async () => {
    const client = new packed.TerraqlClient({ url: test.url, apiKey, webSocket: WebSocket });
    const all = client.features({ filter: { areaM2: { min: 2, max: 1 } } });
    await expect(all.next()).rejects.toMatchObject({ name: 'TerraqlError', code: 'INVALID_FILTER', retryable: false });
    const stranger = new packed.TerraqlClient({ url: test.url, apiKey: 'tql_x', webSocket: WebSocket });
    await expect(stranger.features({}).next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(stranger.featuresAdded().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('verifies a message of a webhook, and refuses another one', () => {
    const secret = `whsec_${Buffer.from('a secret of 24 bytes ...').toString('base64')}`;
    const body = JSON.stringify({ type: 'features.added', timestamp: new Date().toISOString(), data: {} });
    const signed = new Webhook(secret).sign('msg_1', new Date(), body);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
      'webhook-signature': signed,
    };
    expect(packed.verifyWebhook(body, headers, secret)).toMatchObject({ type: 'features.added' });
    expect(() => packed.verifyWebhook(`${body} `, headers, secret)).toThrow('No matching signature found');
  });
});

/** A way to the service that can be cut. */
async function breakableWire(port: number): Promise<{ url: string; cut(): void; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const close = (): Promise<void> => {
    cut();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, close };
}
