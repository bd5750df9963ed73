import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Polygon, Position } from 'geojson';
import { PMTiles } from 'pmtiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { resolveCrs } from '../../src/imagery/crs/crs.ts';
import { type Affine, pixelToMap } from '../../src/raster/affine.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { serveOgc, type ServedOgc } from '../ogc/served-ogc.ts';
import { decodeTile } from '../tiles/decoded-tile.ts';
import { type MadeExports, madeExports } from './made-exports.ts';
import { fromPython, pythonHas } from './python.ts';
import { ODD_PROMPT, storeForExport } from './stored-exports.ts';

const UTM: Affine = [500_000, 10, 0, 5_540_000, 0, -10];

/** A ring around pixels from the first column and row up to the last. */
const around = (left: number, top: number, right: number, bottom: number): Position[] => [
  [left, top],
  [left, bottom],
  [right, bottom],
  [right, top],
  [left, top],
];
/** 20 × 20 pixels with three holes, of which two lie in the same rows: 400 - 16 - 20 - 9 pixels. */
const SIEVE = [around(10, 10, 30, 30), around(12, 12, 16, 16), around(20, 12, 25, 16), around(17, 20, 20, 23)];
const SIEVE_PIXELS = 355;
const BAR = [around(40, 0, 43, 50)];
const BAR_PIXELS = 150;

async function onTheGround(rings: Position[][]): Promise<Polygon> {
  const crs = await resolveCrs('EPSG:32632');
  const ground = ([column, row]: Position): Position => crs.toWgs84(pixelToMap(UTM, column!, row!));
  return { type: 'Polygon', coordinates: rings.map((ring) => ring.map(ground)) };
}

let ids = { odd: '', plain: '' };
async function store(database: Database): Promise<void> {
  ids = await storeForExport(database);
  const { segmentation } = await runningSegmentation(database, { name: 'Utm', crs: 'EPSG:32632', affine: UTM });
  const outlines = [await onTheGround(SIEVE), await onTheGround(BAR)];
  await new SegmentationRepository(database).storeResult(segmentation, resultOf(featuresOf(...outlines)));
}

let ogc: ServedOgc;
let made: MadeExports;
let folder = '';
beforeAll(async () => {
  ogc = await serveOgc(store);
  made = madeExports(ogc);
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-data-sets-'));
});
afterAll(async () => {
  await ogc.close();
  await rm(folder, { recursive: true });
});

interface Statistics {
  readonly key: readonly string[];
  readonly featureCount: number;
  readonly areaM2: number;
  readonly perimeterM: number;
}

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string; readonly width: number }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly id: number;
    readonly image_id: number;
    readonly category_id: number;
    readonly area: number;
    readonly bbox: readonly number[];
    readonly segmentation: readonly (readonly number[])[];
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
}

describe('COCO', () => {
  it('has outlines in the pixels of their scenes, whatever its system, with and without georeference', async () => {
    const coco = JSON.parse((await made.file({ format: 'COCO' })).toString()) as Coco;
    expect(coco.images.map(({ file_name }) => file_name).toSorted()).toEqual(['+Fields', 'Field', 'Utm']);
    expect(coco.categories.map(({ name }) => name).toSorted()).toEqual([ODD_PROMPT, 'Where is water?']);
    expect(coco.annotations.map(({ id }) => id)).toEqual(coco.annotations.map((_, index) => index + 1));
    const utm = coco.images.find(({ file_name }) => file_name === 'Utm')!;
    const own = coco.annotations.filter(({ image_id }) => image_id === utm.id);
    expect(own.map(({ area, bbox }) => ({ area, bbox }))).toEqual([
      { area: SIEVE_PIXELS, bbox: [10, 10, 20, 20] },
      { area: BAR_PIXELS, bbox: [40, 0, 3, 50] },
    ]);
    expect(own[0]!.segmentation).toHaveLength(1);
    const pixels = coco.images.find(({ file_name }) => file_name === 'Field')!;
    const drawn = coco.annotations.filter(({ image_id }) => image_id === pixels.id);
    expect(drawn.map(({ bbox }) => bbox)).toContainEqual([20, 20, 10, 20]);
  });

  it('says the attributes that are asked for', async () => {
    const file = await made.file({ format: 'COCO', include: ['areaM2', 'prompt'], limit: 1 });
    expect(Object.keys((JSON.parse(file.toString()) as Coco).annotations[0]!.attributes)).toEqual(['areaM2']);
  });

  it('is whole when nothing matches', async () => {
    const file = await made.file({ format: 'COCO', filter: { areaM2: { min: 1e15 } } });
    expect(JSON.parse(file.toString())).toMatchObject({ images: [], annotations: [], categories: [] });
  });

  it.runIf(pythonHas('pycocotools'))('has the same masks for pycocotools, holes included', async () => {
    const file = path.join(folder, 'features.coco.json');
    await writeFile(file, await made.file({ format: 'COCO' }));
    const program = `
import contextlib, io, json, sys
from pycocotools.coco import COCO
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(sys.argv[1])
image = next(image for image in coco.dataset['images'] if image['file_name'] == 'Utm')
masks = [coco.annToMask(ann) for ann in coco.loadAnns(coco.getAnnIds(imgIds=image['id']))]
print(json.dumps([[int(mask.sum()), [[int(x) for x in row] for row in mask[12:16, 10:30]]] for mask in masks]))`;
    const masks = await fromPython<[number, number[][]][]>(program, file);
    expect(masks.map(([pixels]) => pixels)).toEqual([SIEVE_PIXELS, BAR_PIXELS]);
    const row = Array.from({ length: 20 }, (_, at) => (at < 2 || (at >= 6 && at < 10) || at >= 15 ? 1 : 0));
    expect(masks[0]![1]).toEqual([row, row, row, row]);
  });
});

/** Files of an archive without compression. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 */
function unzipped(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from('504b0506', 'hex')) + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [size, name, extra, comment] = [
      zip.readUInt32LE(at + 24),
      ...[28, 30, 32].map((on) => zip.readUInt16LE(at + on)),
    ];
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    files.set(zip.toString('utf8', at + 46, at + 46 + name!), zip.subarray(from, from + size!));
    at += 46 + name! + extra! + comment!;
  }
  return files;
}

describe('partitioned GeoParquet', () => {
  it('has a folder for each prompt, whose name alone holds it', async () => {
    const files = unzipped(
      await made.file({ format: 'GEOPARQUET_PARTITIONED', orderBy: { by: 'AREA', direction: 'ASC' } }),
    );
    expect([...files.keys()]).toEqual([
      'prompt=%3DHYPERLINK("http%3A%2F%2Fx.test";"pond, №1")%0Awith %3Cb%3Educks%3C%2Fb%3E %5C and\ttabs/part-0.parquet'
        .replaceAll('"', '%22')
        .replaceAll('\t', '%09'),
      'prompt=Where is water%3F/part-0.parquet',
    ]);
    const counts = [];
    for (const bytes of files.values()) {
      const file = new Uint8Array(bytes).buffer;
      expect(parquetMetadata(file).schema.map(({ name }) => name)).not.toContain('prompt');
      const areas = (await parquetReadObjects({ file, columns: ['areaM2'] })).map(({ areaM2 }) => areaM2 as number);
      expect(areas).toEqual(areas.toSorted((a, b) => a - b));
      counts.push(areas.length);
    }
    expect(counts).toEqual([2, 5]);
  });

  it('is a table without rows when nothing matches', async () => {
    const files = unzipped(await made.file({ format: 'GEOPARQUET_PARTITIONED', filter: { areaM2: { min: 1e15 } } }));
    expect([...files.keys()]).toEqual(['part-0.parquet']);
    expect(parquetMetadata(new Uint8Array(files.get('part-0.parquet')!).buffer).num_rows).toBe(0n);
  });

  it.runIf(pythonHas('duckdb_extensions'))(
    'has the sums of featureStatistics for DuckDB, by prompt and by place',
    async () => {
      const file = path.join(folder, 'features.parquet.zip');
      await writeFile(file, await made.file({ format: 'GEOPARQUET_PARTITIONED' }));
      const program = `
import json, sys, zipfile
import duckdb
from duckdb_extensions import import_extension
zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])
import_extension('spatial')
db = duckdb.connect()
db.load_extension('spatial')
print(json.dumps(db.execute("""
  SELECT prompt, count(*), sum(areaM2), sum(perimeterM), sum(ST_Area_Spheroid(ST_FlipCoordinates(geometry)))
  FROM read_parquet(?, hive_partitioning = true) GROUP BY prompt ORDER BY prompt""",
  [sys.argv[2] + '/*/*.parquet']).fetchall()))`;
      const groups = await fromPython<[string, number, number, number, number][]>(
        program,
        file,
        path.join(folder, 'set'),
      );
      const { data } = await ogc.ask(`{
        featureStatistics(groupBy: [PROMPT], filter: { areaM2: { min: 0 } }) { key featureCount areaM2 perimeterM }
      }`);
      const { featureStatistics } = data as unknown as { featureStatistics: Statistics[] };
      expect(groups.map(([prompt]) => prompt)).toEqual(featureStatistics.map(({ key }) => key[0]!).toSorted());
      for (const [prompt, count, areaM2, perimeterM, measuredM2] of groups) {
        const group = featureStatistics.find(({ key }) => key[0] === prompt)!;
        expect(count).toBe(group.featureCount);
        expect(areaM2 / group.areaM2).toBeCloseTo(1, 12);
        expect(perimeterM / group.perimeterM).toBeCloseTo(1, 12);
        expect(measuredM2 / group.areaM2).toBeCloseTo(1, 4);
      }
    },
  );
});

describe('PMTiles', () => {
  it('has the tiles of the map at every level, until every feature is drawn to its pixels', async () => {
    const bytes = await made.file({ format: 'PMTILES', filter: { segmentationId: ids.plain } });
    const archive = new PMTiles({
      getKey: () => 'features',
      getBytes: (offset, length) =>
        Promise.resolve({ data: new Uint8Array(bytes.subarray(offset, offset + length)).buffer }),
    });
    const header = await archive.getHeader();
    expect(header).toMatchObject({
      specVersion: 3,
      clustered: true,
      tileType: 1,
      minZoom: 0,
      minLon: 10,
      maxLat: 50.6666667,
    });
    const { vector_layers: layers } = (await archive.getMetadata()) as { vector_layers: { id: string }[] };
    expect(layers.map(({ id }) => id)).toEqual(['features', 'cells']);
    let tiles = 0;
    for (let z = 0; z <= header.maxZoom; z++) {
      const [x, y] = [tileX(10.0005, z), tileY(50.001, z)];
      const tile = await archive.getZxy(z, x, y);
      const served = Buffer.from(
        await (
          await fetch(
            `${ogc.url}/tiles/features/${z}/${x}/${y}.mvt?filter=${JSON.stringify({ segmentationId: ids.plain })}`,
          )
        ).arrayBuffer(),
      );
      expect(Buffer.from(tile!.data)).toEqual(served);
      if (z === header.maxZoom) {
        const { features, cells } = decodeTile(new Uint8Array(tile!.data));
        expect(features!.length).toBeGreaterThan(0);
        expect(cells).toBeUndefined();
      }
      tiles++;
    }
    expect(tiles).toBeGreaterThan(5);
    expect(await archive.getZxy(header.maxZoom, 0, 0)).toBeUndefined();
  });

  it('has no tiles when nothing matches', async () => {
    const bytes = await made.file({ format: 'PMTILES', filter: { areaM2: { min: 1e15 } } });
    expect(bytes.toString('latin1', 0, 7)).toBe('PMTiles');
    expect(bytes.readBigUInt64LE(72)).toBe(0n);
  });
});

const tileX = (longitude: number, z: number): number => Math.floor(((longitude + 180) / 360) * 2 ** z);
const tileY = (latitude: number, z: number): number => {
  const radians = (latitude * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(radians)) / Math.PI) / 2) * 2 ** z);
};
