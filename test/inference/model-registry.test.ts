import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LocalModel, localModels } from '../../src/inference/local-model.ts';
import { AmbiguousModelError, ModelRegistry, UnknownModelError } from '../../src/inference/model-registry.ts';
import { MODELS_DIR, smallManifest, temporaryFolder, writeModel } from './model-folder.ts';

/** A folder with models of these ids, and things that are none. */
async function modelsFolder(...ids: string[]): Promise<string> {
  const root = await temporaryFolder();
  await writeFile(path.join(root, 'README.md'), 'not a model');
  for (const id of ids) {
    const [name, version] = id.split('/') as [string, string];
    await writeModel(path.join(root, id), smallManifest(name, version));
  }
  return root;
}

describe('ModelRegistry', () => {
  it('tells a loader how many models share what there is', async () => {
    const shares: number[] = [];
    const load = (_verified: unknown, models: number): Promise<LocalModel> => {
      shares.push(models);
      throw new Error('not in this test');
    };
    const registry = await ModelRegistry.open(await modelsFolder('a/1', 'b/1', 'c/1'), 'a', { ...localModels(), load });
    await expect(registry.get()).rejects.toThrow('not in this test');
    expect(shares).toEqual([3]);
  });

  it('lists models by name and version, the newest version of a name last', async () => {
    const registry = await ModelRegistry.open(await modelsFolder('b/1', 'a/10', 'a/9'), undefined, localModels());
    expect(registry.list().map(({ id }) => id)).toEqual(['a/9', 'a/10', 'b/1']);
    expect(registry.isReady('a/9')).toBe(false);
  });

  it('takes a name for its newest version, and a full id for itself', async () => {
    const registry = await ModelRegistry.open(await modelsFolder('a/9', 'a/10', 'ab/11'), undefined, localModels());
    expect([registry.resolve('a'), registry.resolve('a/9'), registry.resolve('ab')]).toEqual(['a/10', 'a/9', 'ab/11']);
    expect(() => registry.resolve('a/1')).toThrow(new UnknownModelError('a/1', ['a/9', 'a/10', 'ab/11']));
    await expect(registry.get('c')).rejects.toThrow('Model c does not exist; the model folder has a/9, a/10, ab/11.');
  });

  it('has a default when it is preferred, or when there is one name only', async () => {
    const one = await modelsFolder('a/1', 'a/2');
    const two = await modelsFolder('a/1', 'b/2');
    expect((await ModelRegistry.open(one, undefined, localModels())).resolve()).toBe('a/2');
    expect((await ModelRegistry.open(two, 'a', localModels())).resolve()).toBe('a/1');
    const ambiguous = await ModelRegistry.open(two, undefined, localModels());
    expect(() => ambiguous.resolve()).toThrow(new AmbiguousModelError(['a/1', 'b/2']));
    await expect(ModelRegistry.open(two, 'c', localModels())).rejects.toThrow(UnknownModelError);
  });

  it('says so when there is no model or no folder', async () => {
    const none = await ModelRegistry.open(await modelsFolder(), undefined, localModels());
    expect(() => none.resolve()).toThrow('The model folder (TERRAQL_MODELS_DIR) has no model.');
    await expect(ModelRegistry.open('/nowhere', undefined, localModels())).rejects.toThrow(
      'Model folder /nowhere: cannot be listed (ENOENT)',
    );
  });

  it('refuses a folder that calls a model by another name', async () => {
    const root = await modelsFolder('a/1');
    await writeModel(path.join(root, 'a', '2'), smallManifest('a', '3'));
    await expect(ModelRegistry.open(root, undefined, localModels())).rejects.toThrow('manifest.json is that of a/3');
  });

  it('follows links to folders', async () => {
    const root = await modelsFolder();
    await symlink(path.join(await modelsFolder('a/1'), 'a'), path.join(root, 'a'));
    expect((await ModelRegistry.open(root, undefined, localModels())).resolve()).toBe('a/1');
  });

  it('does not load a model that was replaced since it was verified', async () => {
    const root = await modelsFolder('a/1');
    const registry = await ModelRegistry.open(root, undefined, localModels());
    await writeModel(path.join(root, 'a', '1'), { ...smallManifest('a', '1'), license: 'MIT' });
    await expect(registry.get()).rejects.toThrow('was replaced since the start; start again');
  });

  it('loads a model once for all who ask, and again when its thread dies', async () => {
    const registry = await ModelRegistry.open(MODELS_DIR, 'segearth-r1-compact', localModels());
    const [first, second] = await Promise.all([registry.get(), registry.get()]);
    expect(second).toBe(first);
    expect(registry.isReady(first.info.id)).toBe(true);

    const image = new Uint8Array(first.info.windowPx ** 2 * 3);
    const question = { task: 'REFERRING', text: 'water' } as const;
    const [answer] = await first.infer(image, [question]);
    await first['threads'][0]!['worker'].terminate();
    expect(first.ready()).toBe(false);
    await expect(first.infer(image, [question])).rejects.toThrow(
      `${first.info.id} is unavailable: its worker thread ended with code 1`,
    );

    const again = await registry.get();
    expect(again).not.toBe(first);
    expect((await again.infer(image, [question]))[0]).toEqual(answer);
    await registry.close();
    expect(again.ready()).toBe(false);
  });
});
