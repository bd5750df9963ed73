import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announceServer, findServer } from '../../src/server-file.ts';

let dataDir = '';
let server: Server;
let url = '';
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-server-file-'));
  server = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(dataDir, { recursive: true });
});

const write = (text: string) => writeFile(path.join(dataDir, 'server.json'), text);

describe('the record of a running server', () => {
  it('is found while the server answers, and gone after it was withdrawn', async () => {
    const withdraw = await announceServer(dataDir, url);
    expect(await findServer(dataDir)).toBe(url);
    await withdraw();
    expect(await findServer(dataDir)).toBeNull();
  });

  it('is left alone when another server has replaced it', async () => {
    const withdraw = await announceServer(dataDir, 'http://127.0.0.1:1');
    await announceServer(dataDir, url);
    await withdraw();
    expect(await findServer(dataDir)).toBe(url);
  });

  it('is ignored when its process has ended', async () => {
    await write(JSON.stringify({ pid: 2 ** 22 + 1, url }));
    expect(await findServer(dataDir)).toBeNull();
  });

  it('is ignored when nothing answers, as after a crash when the process number was given away again', async () => {
    await write(JSON.stringify({ pid: process.pid, url: 'http://127.0.0.1:9' }));
    expect(await findServer(dataDir)).toBeNull();
  });

  it('is ignored when it is cut off', async () => {
    await write('{"pid": 12');
    expect(await findServer(dataDir)).toBeNull();
  });
});
