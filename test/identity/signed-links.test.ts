import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinkSigner, type LinkKey, withoutSignature } from '../../src/identity/link-signer.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

/** Keys in memory, whose age the test says. */
function keysOf(kept: LinkKey[]) {
  return {
    list: async () => kept.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()),
    add: async (id: string, secret: Buffer) => void kept.push({ id, secret, createdAt: new Date() }),
    removeBefore: async (instant: Date) =>
      void kept.splice(0, kept.length, ...kept.filter((key) => key.createdAt >= instant)),
  };
}
const open = (kept: LinkKey[], ttlS = 3600) => LinkSigner.open(keysOf(kept), ttlS, () => undefined);

describe('a signed link', () => {
  it('leads to its address alone, for its workspace alone', async () => {
    const signer = await open([]);
    const link = signer.sign('GET', '/features.csv?view=water', 'harbour');
    expect(await signer.workspaceOf('GET', link)).toBe('harbour');
    expect(await signer.workspaceOf('HEAD', link)).toBe('harbour');
    for (const changed of [
      link.replace('csv', 'fgb'),
      link.replace('view=water', 'view=roads'),
      link.replace('harbour', 'default'),
      link.replace(/expires=\d/, 'expires=9'),
      `${link}&filter=%7B%7D`,
      link.replace(/signature=.*/, 'signature=x'),
    ]) {
      await expect(signer.workspaceOf('GET', changed), changed).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    await expect(signer.workspaceOf('PUT', link)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await signer.workspaceOf('GET', '/features.csv?view=water')).toBeNull();
    signer.close();
  });

  it('holds for every tile of a layer, in any revision', async () => {
    const signer = await open([]);
    const link = signer.sign('GET', '/tiles/features/{z}/{x}/{y}.mvt?filter=%7B%22areaM2%22%3A%7B%7D%7D', 'harbour');
    const tile = link.replace('{z}/{x}/{y}', '3/4/5');
    expect(await signer.workspaceOf('GET', `${tile}&r=7`)).toBe('harbour');
    await expect(signer.workspaceOf('GET', tile.replace('features', 'scenes'))).rejects.toThrow(/does not belong/);
    await expect(signer.workspaceOf('GET', tile.replace('.mvt', '.png'))).rejects.toThrow(/does not belong/);
    signer.close();
  });

  it('expires', async () => {
    const signer = await open([], -7200);
    const link = signer.sign('GET', '/features.csv', 'harbour');
    await expect(signer.workspaceOf('GET', link)).rejects.toThrow(/^The link expired at 20/);
    signer.close();
  });

  it('holds on another process, and after a rotation until it expires', async () => {
    const old = { id: 'oldkey', secret: Buffer.alloc(32, 1), createdAt: new Date(Date.now() - 29 * 86_400_000) };
    const older = { id: 'oldest', secret: Buffer.alloc(32, 2), createdAt: new Date(Date.now() - 90 * 86_400_000) };
    const kept = [old, older];
    const [one, two] = [await open(kept), await open(kept)];
    const link = one.sign('GET', '/a', 'w');
    expect(link).toContain('signature=oldkey.');
    kept[0] = { ...old, createdAt: new Date(Date.now() - 30.01 * 86_400_000) };
    const three = await open(kept);
    expect(three.sign('GET', '/a', 'w')).not.toContain('signature=oldkey.');
    expect(await three.workspaceOf('GET', link)).toBe('w');
    expect(await two.workspaceOf('GET', link)).toBe('w');
    expect(kept.map(({ id }) => id)).not.toContain('oldest');
    for (const signer of [one, two, three]) signer.close();
  });

  it('is the same within the hour, so that caches keep what it leads to', async () => {
    const signer = await open([]);
    expect(signer.sign('GET', '/a', 'w')).toBe(signer.sign('GET', '/a', 'w'));
    signer.close();
  });

  it.each([
    ['/a?b=1&workspace=w&expires=1&signature=s', '/a?b=1'],
    ['/a?workspace=w&expires=1&signature=s', '/a'],
    ['/a?b=1', '/a?b=1'],
    ['/a', '/a'],
  ])('leaves its parameters to no route: %s', (address, left) => expect(withoutSignature(address)).toBe(left));
});

describe('the links of answers where a login is required', () => {
  let test: ServedApp;
  beforeAll(async () => {
    test = await openServedApp({ TERRAQL_AUTH: 'required' });
  });
  afterAll(() => test.close());
  const here = (link: string): string => link.replace('http://terraql.test', test.url);

  it('lead to masks, files and tiles without a header', async () => {
    const { segmentationIds, sceneId } = await test.segment(['bright']);
    await test.ask('mutation { createView(input: { name: "Bright", filter: { promptContains: "bright" } }) { id } }');
    const { data } = await test.ask(
      `query($id: ID!) { segmentation(id: $id) { mask { pngUrl overlayUrl geotiffUrl } } view(slug: "bright") { tilesUrl exportUrl(format: CSV) } }`,
      { id: segmentationIds[0] },
    );
    const { mask } = data.segmentation as unknown as { mask: Record<string, string> };
    const { tilesUrl, exportUrl } = data.view as unknown as Record<string, string>;
    for (const link of [...Object.values(mask), exportUrl!, tilesUrl!.replace('{z}/{x}/{y}', '0/0/0')]) {
      const response = await fetch(here(link));
      expect([link, response.status]).toEqual([link, 200]);
      await response.arrayBuffer();
      const unsigned = await fetch(here(link).replace(/&?workspace=.*/, ''));
      expect([link, unsigned.status]).toEqual([link, 401]);
      await unsigned.arrayBuffer();
    }
    expect(sceneId).toBeTruthy();
  });

  it('take an upload without a header, and only at its own address', async () => {
    const body = readFileSync(SUBURB);
    const create = `mutation { createUpload(filename: "a.tif", sizeBytes: ${body.length}) { id url } }`;
    const { data } = await test.ask(create);
    const put = async (url: string) => (await fetch(url, { method: 'PUT', body })).status;
    const { url } = data.createUpload;
    expect(await put(here(url).replace(/&signature=.*/, ''))).toBe(401);
    const other = await test.ask(create);
    expect(await put(here(url).replace(data.createUpload.id, other.data.createUpload.id))).toBe(401);
    expect(await put(here(url))).toBe(204);
  });
});
