import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedDatabaseInUseError, ownDirectory } from '../../src/database/directory-ownership.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'terraql-owned-'));
});
afterEach(() => rm(directory, { recursive: true }));

const MODULE = path.resolve(import.meta.dirname, '../../src/database/directory-ownership.ts');

/** A process that owns the directory until it is killed. */
async function owningProcess() {
  const code = `import('${MODULE}').then(async ({ ownDirectory }) => {
    await ownDirectory(process.argv[1]);
    console.log('owned');
    setInterval(() => undefined, 1000);
  })`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', code, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
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
      `the embedded database in ${directory} is open in another process`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (
      await ownDirectory(directory)
    )();
  });
});
