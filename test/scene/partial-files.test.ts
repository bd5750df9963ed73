import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { writeExclusive } from '../../src/exclusive-file.ts';
import { temporaryFolder } from '../inference/model-folder.ts';

const stores: FolderBlobStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function storesOfOneFolder(): Promise<[FolderBlobStore, FolderBlobStore, string]> {
  const folder = await temporaryFolder();
  const [one, other] = [new FolderBlobStore(folder), new FolderBlobStore(folder)];
  stores.push(one, other);
  return [one, other, folder];
}

it('files that are claimed while a sweeper of this or another process looks for partial ones are all there', async () => {
  const [one, other] = await storesOfOneFolder();
  let claimed = 0;
  const claims = Array.from({ length: 8 }, async (_, lane) => {
    for (let i = 0; i < 40; i++) {
      const isClaimed = await one.claim(`scenes/${lane}-${i}/content.ticket`, 'text');
      claimed += Number(isClaimed);
    }
  });
  const isDone = Promise.all(claims).then(() => true);
  const sweeps = [one, other].map(async (store) => {
    while (!(await Promise.race([isDone, store.removePartial('scenes')])));
  });
  await Promise.all([isDone, ...sweeps]);
  expect(claimed).toBe(320);
  const scenes = await one.list('scenes');
  expect(scenes).toHaveLength(320);
  for (const scene of scenes) expect(await one.readText(`scenes/${scene}/content.ticket`)).toBe('text');
});

it('a file that a living process has half written is left alone, one of a dead process or of none is removed', async () => {
  const [one, other, folder] = await storesOfOneFolder();
  const scene = path.join(folder, 'scenes', 'x');
  await mkdir(scene, { recursive: true });
  const uuid = '0b7c9b52-6f0e-4c6c-9a51-3f4f0f0f0f0f';
  const living = `content.ticket.${await other.processToken()}.${uuid}.partial`;
  for (const name of [living, `content.ticket.0123456789abcdef.${uuid}.partial`, `content.ticket.${uuid}.partial`]) {
    await writeFile(path.join(scene, name), 'half');
  }
  await one.removePartial('scenes');
  expect(await readdir(scene)).toEqual([living]);
});

it('what a process writes exclusively names the process until it is whole', async () => {
  const folder = await temporaryFolder();
  const seen = new Set<string>();
  const writing = Promise.all(
    Array.from({ length: 200 }, (_, i) => writeExclusive(path.join(folder, `${i}.claim`), 'x', '0123456789abcdef')),
  ).then(() => true);
  const look = async (): Promise<boolean> => {
    for (const name of await readdir(folder)) seen.add(name);
    return false;
  };
  while (!(await Promise.race([writing, look()])));
  const partial = [...seen].filter((name) => name.endsWith('.partial'));
  expect(partial.length).toBeGreaterThan(0);
  for (const name of partial) expect(name).toMatch(/^\d+\.claim\.0123456789abcdef\.[0-9a-f-]{36}\.partial$/);
});
