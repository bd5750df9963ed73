import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, startScript } from './durability/processes.ts';

let running: Running;
let url = '';
beforeAll(async () => {
  running = await startScript(path.resolve(import.meta.dirname, 'durability/faulty-process.ts'), [], {});
  url = String(running.started['url']);
});
afterAll(() => running.end('SIGKILL'));

/** Opens a raw socket by an upgrade and sends a few bytes, then closes it. */
async function upgrade(target: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await once(socket, 'data');
  socket.write('bytes');
  await running.printed('Process:UncaughtException');
  socket.destroy();
}

it('an uncaught error is logged, and the server keeps running', async () => {
  await upgrade('/listener');
  expect(await (await fetch(url)).text()).toBe('whole');
  await upgrade('/promise');
  await running.printed('Process:UnhandledRejection');
  expect(await (await fetch(url)).text()).toBe('whole');
  expect(await running.end('SIGTERM')).toEqual([null, 'SIGTERM']);
});
