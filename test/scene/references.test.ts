import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { allowedFile } from '../../src/scene/local-file.ts';
import { checkedAddresses, isPublicAddress } from '../../src/remote/public-address.ts';

describe('paths', () => {
  let root: string;
  let outside: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-'));
    root = join(folder, 'root');
    outside = join(folder, 'root-not');
    await mkdir(join(root, 'sub'), { recursive: true });
    await mkdir(outside);
    await writeFile(join(root, 'sub', 'a.tif'), 'inside');
    await writeFile(join(outside, 'secret'), 'outside');
    await symlink(join(outside, 'gone'), join(root, 'broken-link'));
    await symlink(join(outside, 'secret'), join(root, 'link'));
    await symlink(outside, join(root, 'linked-folder'));
    await symlink(root, join(folder, 'root-link'));
  });

  it('under a root are followed, absolute or relative, and through a root that is a link', async () => {
    const real = join(root, 'sub', 'a.tif');
    expect(await allowedFile(real, [root], 10)).toBe(real);
    expect(await allowedFile(relative(process.cwd(), real), [root], 10)).toBe(real);
    expect(await allowedFile(join(root, '../root-link/sub/a.tif'), [join(root, '../root-link')], 10)).toBe(real);
    expect(await allowedFile(real, [join(root, '../root-link')], 10)).toBe(real);
  });

  it.each([
    ['..', (): string => `${root}/sub/../../root-not/secret`],
    ['a sibling whose name begins alike', (): string => `${outside}/secret`],
    ['a link to a file', (): string => `${root}/link`],
    ['a link to a folder', (): string => `${root}/linked-folder/secret`],
    ['a link to a folder, to a file that does not exist', (): string => `${root}/linked-folder/nothing`],
    ['a link to a folder, to a folder that does not exist', (): string => `${root}/linked-folder/no/thing`],
    ['a broken link', (): string => `${root}/broken-link`],
    ['an absolute path', (): string => '/etc/passwd'],
    ['a path that does not exist', (): string => '/nowhere/at/all'],
    ['a NUL byte', (): string => `${root}/sub/a.tif\0.png`],
    ['the root itself', (): string => root],
  ])('that lead out by %s are refused', async (_, path) => {
    await expect(allowedFile(path(), [root], 10)).rejects.toMatchObject({ code: 'PATH_OUTSIDE_ROOTS' });
  });

  it('under a root without a file are not found', async () => {
    await expect(allowedFile(join(root, 'b.tif'), [root], 10)).rejects.toMatchObject({ code: 'SCENE_FILE_NOT_FOUND' });
    await expect(allowedFile(join(root, 'sub'), [root], 10)).rejects.toMatchObject({ code: 'SCENE_FILE_NOT_FOUND' });
  });

  it('of files that are too large are refused with both sizes', async () => {
    await expect(allowedFile(join(root, 'sub/a.tif'), [root], 5)).rejects.toThrow(
      'The file has 6 bytes; the limit is 5.',
    );
  });
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '2001::1',
    'fec0::1',
    'nonsense',
    '',
  ])('%s is not a public one', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::ffff:8.8.8.8'])(
    '%s is a public one',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it('of a host are refused together when one of them is not public', async () => {
    const resolver = async () => [
      { address: '93.184.215.14', family: 4 },
      { address: '10.0.0.5', family: 4 },
    ];
    await expect(checkedAddresses('mixed.example', resolver, isPublicAddress)).rejects.toThrow(
      'Host mixed.example has address 10.0.0.5, which is not a public internet address.',
    );
  });

  it('that are not there make the host not found', async () => {
    await expect(checkedAddresses('none.example', async () => [], isPublicAddress)).rejects.toMatchObject({
      code: 'HOST_NOT_FOUND',
    });
  });
});
