import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessPresence } from '../src/process-presence.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'terraql-presence-'));
});
afterEach(() => rm(root, { recursive: true }));

const MODULE = path.resolve(import.meta.dirname, '../src/process-presence.ts');

/** A process in the folder, with a folder for temporary files of its own. */
async function present(folder: string) {
  const code = `import('${MODULE}').then(async ({ ProcessPresence }) => {
    console.log((await ProcessPresence.open(process.argv[1])).token);
    setInterval(() => undefined, 1000);
  })`;
  const TMPDIR = await mkdtemp(path.join(root, 'tmp-'));
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', code, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR },
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, token: said.toString().trim() };
}

describe('a process in a folder', () => {
  it.each([
    ['a short path', 'processes'],
    ['a path longer than a socket address', path.join('d'.repeat(120), 'processes')],
  ])(
    'is alive until it ends, however it ends, below %s',
    async (_what, name) => {
      const folder = path.join(root, name);
      const own = await ProcessPresence.open(folder);
      const [killed, stopped] = await Promise.all([present(folder), present(folder)]);
      expect(await own.isAlive(own.token)).toBe(true);
      for (const { token } of [killed, stopped]) expect(await own.isAlive(token)).toBe(true);
      stopped.child.kill('SIGSTOP'); // alive, though it does nothing
      expect(await own.isAlive(stopped.token)).toBe(true);
      for (const { child } of [killed, stopped]) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      for (const { token } of [killed, stopped]) expect(await own.isAlive(token)).toBe(false);
      expect((await readdir(folder)).length).toBeGreaterThan(2);
      await own.sweep();
      expect((await readdir(folder)).toSorted()).toEqual([`${own.token}.json`, `${own.token}.sock`]);
      await own.close();
      expect(await readdir(folder)).toEqual([]);
    },
    60_000,
  );

  it('of another machine is alive as long as its heartbeat continues', async () => {
    const folder = path.join(root, 'shared');
    const own = await ProcessPresence.open(folder);
    const file = path.join(folder, `${'a'.repeat(16)}.json`);
    await writeFile(file, JSON.stringify({ host: 'another', socket: true }));
    await utimes(file, 1, 1); // its clock may be wrong by years
    const beating = setInterval(() => void utimes(file, Date.now() / 2000, Date.now() / 2000), 500);
    expect(await own.isAlive('a'.repeat(16))).toBe(true);
    clearInterval(beating);
    expect(await own.isAlive('a'.repeat(16))).toBe(false);
    await own.close();
  }, 60_000);

  it.each(['', 'x', '../../etc/passwd', '0123456789abcdef', 'torn00000000000a'])('%j is nobody', async (token) => {
    const folder = path.join(root, 'processes');
    await mkdir(folder);
    await writeFile(path.join(folder, 'torn00000000000a.json'), '{"ho');
    const own = await ProcessPresence.open(folder);
    expect(await own.isAlive(token)).toBe(false);
    await own.close();
  });
});
