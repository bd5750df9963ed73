import 'reflect-metadata';
import type { MultiPolygon, Polygon } from 'geojson';
import type { Database } from '../../src/database/database.ts';
import { ExportService } from '../../src/export/export.service.ts';
import type { ExportStore } from '../../src/export/export.store.ts';
import { FeatureExportRepository } from '../../src/export/feature-export.repository.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService } from '../../src/feature/feature.service.ts';
import { featureRequestReader } from '../../src/graphql/feature-request.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';

/** Begins like a formula, and has everything that a format might trip over. */
export const ODD_PROMPT = '=HYPERLINK("http://x.test";"pond, №1")\nwith <b>ducks</b> \\ and\ttabs';

const holed: Polygon = {
  type: 'Polygon',
  coordinates: [
    box(10.2, 50.2, 10.21, 50.21).coordinates[0]!,
    [
      [10.203, 50.203],
      [10.203, 50.207],
      [10.207, 50.207],
      [10.207, 50.203],
      [10.203, 50.203],
    ],
  ],
};
/** Thirds of a degree: no decimal number has all their digits. */
const thirds = box(10 + 1 / 3, 50 + 1 / 3, 10 + 2 / 3, 50 + 2 / 3);
const parted: MultiPolygon = {
  type: 'MultiPolygon',
  coordinates: [box(10.1, 50.1, 10.11, 50.11), box(10.12, 50.1, 10.13, 50.12)].map(({ coordinates }) => coordinates),
};
const acrossAntimeridian: MultiPolygon = {
  type: 'MultiPolygon',
  coordinates: [box(179.9, 0, 180, 0.1), box(-180, 0, -179.8, 0.1)].map(({ coordinates }) => coordinates),
};

/** Five features on the ground, under two prompts, and two in a scene without georeference. */
export async function storeForExport(database: Database): Promise<{ scene: string; odd: string; plain: string }> {
  const store = new SegmentationRepository(database);
  const { scene, segmentation: plain } = await runningSegmentation(database, { name: '+Fields' });
  await store.storeResult(plain, resultOf(featuresOf(box(10, 50, 10.001, 50.002), holed, thirds)));
  const odd = await startSegmentation(database, scene.id, { prompt: ODD_PROMPT });
  await store.storeResult(odd, resultOf(featuresOf(parted, acrossAntimeridian)));
  const pixels = await runningSegmentation(database, { crs: null, affine: null, gsdM: null, footprint: null });
  const drawn = featuresOf(box(0, 0, 10, 10), box(20, 20, 30, 40));
  await store.storeResult(pixels.segmentation, resultOf(drawn, { georeferenced: false }));
  return { scene: scene.id, odd: odd.id, plain: plain.id };
}

/** The service as the application makes it. @param store the database's unless given */
export function exportServiceOn(
  database: Database,
  maxFeatures = 1000,
  store: ExportStore = new FeatureExportRepository(database),
): ExportService {
  const features = new FeatureService(new FeatureRepository(database), { maxVertices: 1000, nearM: 50 });
  return new ExportService(store, features, { maxFeatures });
}

/** Reads requests as the application does. */
export const readRequest = featureRequestReader(buildSchema(), 1000);

/** The whole file. */
export async function exported(service: ExportService, extension: string, request: object = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await service.open(extension, readRequest(request))).pieces()) pieces.push(piece);
  return Buffer.concat(pieces);
}
