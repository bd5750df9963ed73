import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { modelInfo, verifyModel, verifyQuestions, type Manifest } from '../../src/inference/manifest.ts';
import { sha256, smallManifest, temporaryFolder, writeModel } from './model-folder.ts';

describe('verifyModel', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeModel(folder, smallManifest());
  });

  const write = (name: string, content: string) => writeFile(path.join(folder, name), content);
  const withManifest = (change: (manifest: Manifest) => void): Promise<void> => {
    const manifest = smallManifest();
    change(manifest);
    return write('manifest.json', JSON.stringify(manifest));
  };

  it('accepts a folder whose files match, with an id that identifies the manifest', async () => {
    const model = await verifyModel(folder);
    expect(model.sha256).toBe(sha256(JSON.stringify(smallManifest())));
    expect(modelInfo(model)).toMatchObject({ id: 'small/1', licence: 'CC0-1.0', windowPx: 8 });
  });

  it('refuses a file of the right size with another content', async () => {
    await write('mask.onnx', 'mask.0nnx');
    await expect(verifyModel(folder)).rejects.toThrow(
      `Model folder ${folder}: mask.onnx has SHA-256 ${sha256('mask.0nnx')}, the manifest says ${sha256('mask.onnx')}`,
    );
  });

  it('refuses a file that was cut off, and one that is missing', async () => {
    await write('vision.onnx', 'vision');
    await expect(verifyModel(folder)).rejects.toThrow('vision.onnx has 6 bytes, the manifest says 11');
    await rm(path.join(folder, 'vision.onnx'));
    await expect(verifyModel(folder)).rejects.toThrow('cannot read vision.onnx (ENOENT)');
  });

  it('refuses a folder without manifest, and a manifest that is not JSON', async () => {
    await write('manifest.json', '{"name": ');
    await expect(verifyModel(folder)).rejects.toThrow('manifest.json is not JSON');
    await rm(path.join(folder, 'manifest.json'));
    await expect(verifyModel(folder)).rejects.toThrow('cannot read manifest.json (ENOENT)');
  });

  it.each(['../mask.onnx', '..', '.', 'a/b', '/etc/hostname', 'a\\b', '', '.hidden'])(
    'refuses the file path %j',
    async (name) => {
      await withManifest(({ files }) => (files.mask.path = name));
      await expect(verifyModel(folder)).rejects.toThrow(/must be a plain file name[\s\S]*files\.mask\.path/);
    },
  );

  it('names every field that is wrong', async () => {
    await withManifest((manifest) => {
      manifest.windowPx = -1;
      manifest.files.vision.sha256 = 'ABC';
    });
    await expect(verifyModel(folder)).rejects.toThrow(/windowPx[\s\S]*files\.vision\.sha256/);
  });

  it('refuses graphs that cannot be wired by name', async () => {
    await withManifest(({ files }) => {
      files.mask.inputs.push({ name: 'memory_keys_7', dtype: 'FP32', shape: [1] });
      files.language.outputs.pop();
    });
    await expect(verifyModel(folder)).rejects.toThrow(
      /the language graph must give present_values[\s\S]*the mask graph takes memory_keys_7/,
    );
  });

  it('refuses a range of ground resolutions that is upside down', async () => {
    await withManifest((manifest) => (manifest.gsdM = { min: 5, max: 1 }));
    await expect(verifyModel(folder)).rejects.toThrow('min must not be above max');
  });

  it('checks the weights that a graph keeps in a file of their own', async () => {
    const weights = { path: 'language.weights', sha256: sha256('weights'), bytes: 7 };
    await withManifest(({ files }) => (files.language.weights = weights));
    await expect(verifyModel(folder)).rejects.toThrow('cannot read language.weights (ENOENT)');
    await write('language.weights', 'weights');
    await expect(verifyModel(folder)).resolves.toMatchObject({ manifest: { files: { language: { weights } } } });
    await write('language.weights', 'weighty');
    await expect(verifyModel(folder)).rejects.toThrow('language.weights has SHA-256');
    await write('language.weights', 'light');
    await expect(verifyModel(folder)).rejects.toThrow('language.weights has 5 bytes, the manifest says 7');
  });

  it('needs no graphs where only questions are put into tokens', async () => {
    await rm(path.join(folder, 'vision.onnx'));
    await expect(verifyQuestions(folder)).resolves.toMatchObject({ manifest: { name: 'small' } });
    await write('tokenizer.json', 'tokenizer_json');
    await expect(verifyQuestions(folder)).rejects.toThrow('tokenizer.json has SHA-256');
  });
});
