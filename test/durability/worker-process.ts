// A worker as its own process, to be killed: `node --import tsx worker-process.ts <database URL> <folder> <pause ms>`.
// It prints its number as soon as it takes runs, then `window` for every window that its model is asked about.
import path from 'node:path';
import { openDatabase } from '../../src/database/database.ts';
import type { Question } from '../../src/inference/segmentation-model.ts';
import { createLogger } from '../../src/logging.ts';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { openRemoteFiles } from '../../src/remote/open-remote-files.ts';
import { openImage, openRanges } from '../../src/imagery/open-image.ts';
import { SourceFingerprints } from '../../src/scene/source-fingerprint.ts';
import { SceneLocator } from '../../src/scene/scene-locator.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SceneService } from '../../src/scene/scene.service.ts';
import { UploadService } from '../../src/scene/upload.service.ts';
import { UNLIMITED } from '../../src/quota.ts';
import { ModelCircuits } from '../../src/run/model-circuits.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { SegmentationWorker } from '../../src/run/segmentation-worker.ts';
import { BrightnessModel, brightnessModels } from '../api/brightness-models.ts';
import { noTiles } from '../scene/no-tiles.ts';

const say = (line: string | number): void => void process.stdout.write(`${line}\n`);

class AnnouncedStore extends SegmentationRepository {
  override async takeWorkerNumber(): Promise<number> {
    const number = await super.takeWorkerNumber();
    say(number);
    return number;
  }
}

class CountedModel extends BrightnessModel {
  override async infer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
  ): Promise<Float32Array[]> {
    const logits = await super.infer(image, questions, signal);
    say('window');
    return logits;
  }
}

const [databaseUrl = '', folder = '', pauseMs = '0'] = process.argv.slice(2);
const limits = { maxBytes: 1e9, maxPixels: 1e9 };
const logger = createLogger('error');
const database = await openDatabase({ databaseUrl, dataDir: folder });
const blobs = new FolderBlobStore(path.join(folder, 'data', 'blobs'));
const uploads = new UploadService(blobs, { maxBytes: limits.maxBytes, ttlS: 60 });
const locator = new SceneLocator(blobs, uploads, openRemoteFiles(limits).files, {
  roots: [folder],
  fingerprints: new SourceFingerprints(),
  tiles: noTiles,
  ...limits,
});
const model = new CountedModel();
model.pauseMs = Number(pauseMs);
const worker = new SegmentationWorker(
  {
    store: new AnnouncedStore(database),
    scenesOf: (workspace) =>
      new SceneService(new SceneRepository(database.forWorkspace(workspace)), locator, {
        open: (file) =>
          typeof file === 'string' ? openImage(file, limits.maxPixels) : openRanges(file, limits.maxPixels),
      }),
    models: brightnessModels(model),
    circuits: new ModelCircuits(),
    blobs,
    logger,
    usage: { add: () => undefined },
    roomOf: () => UNLIMITED,
  },
  { nearM: 0, maxWindows: 1000, runs: 1 },
);
await worker.start();
