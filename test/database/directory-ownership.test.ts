import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedDatabaseInUseError, ownDirectory } from '../../src/database/directory-ownership.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'terraql-owned-')));
  directory = path.join(root, 'pglite');
});
afterEach(() => rm(root, { recursive: true }));

const MODULE = path.resolve(import.meta.dirname, '../../src/database/directory-ownership.ts');

/** A process that owns the directory until it is killed; its folder for temporary files is its own. */
async function owningProcess() {
  const code = `import('${MODULE}').then(async ({ ownDirectory }) => {
    await ownDirectory(process.argv[1]);
    console.log('owned');
    setInterval(() => undefined, 1000);
  })`;
  const TMPDIR = await mkdtemp(path.join(root, 'tmp-'));
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', code, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR },
  });
  await once(child.stdout, 'data');
  return child;
}

describe('the directory of an embedded database', () => {
  it('has one owner, and another when that one lets go', async () => {
    const release = await ownDirectory(directory);
    await expect(ownDirectory(directory)).rejects.toThrow(EmbeddedDatabaseInUseError);
    await release();
    await (
      await ownDirectory(directory)
    )();
  });

  it('is refused while another process owns it, and free when that one is killed', async () => {
    const child = await owningProcess();
    await expect(ownDirectory(directory)).rejects.toThrow(
      `The embedded database in ${directory} is open in another process`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (
      await ownDirectory(directory)
    )();
  });

  it('gets exactly one owner out of many that find the last one dead', async () => {
    for (let round = 0; round < 10; round++) {
      const tried = await Promise.allSettled(Array.from({ length: 8 }, () => ownDirectory(directory)));
      const owners = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(owners).toHaveLength(1);
      for (const { reason } of tried.filter((one) => one.status === 'rejected')) {
        expect(reason).toBeInstanceOf(EmbeddedDatabaseInUseError);
      }
      await owners[0]!();
    }
    expect((await readdir(`${directory}.owner`)).filter((name) => name.endsWith('.claim'))).toHaveLength(1);
  });

  it('is free when its last claim is torn or was left by nobody', async () => {
    await (
      await ownDirectory(directory)
    )();
    await writeFile(path.join(`${directory}.owner`, '7.claim'), '');
    const release = await ownDirectory(directory);
    await expect(ownDirectory(directory)).rejects.toThrow(EmbeddedDatabaseInUseError);
    await release();
  });
});
