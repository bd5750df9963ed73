import type { MultiPolygon, Polygon } from 'geojson';
import type { Scene } from '../scene/scene.ts';
import type { Segmentation } from '../segmentation/segmentation.ts';
import { GEOJSON_TYPE, JSON_TYPE } from '../ogc/links.ts';

export const STAC_VERSION = '1.0.0';
export const SCENES = 'scenes';
/** Longest title that is made of a question, characters. */
const MAX_TITLE = 200;
const PROJECTION = 'https://stac-extensions.github.io/projection/v2.0.0/schema.json';
/** Before the first aerial photograph: the beginning of the time in which an image without a date was taken. */
const FIRST_PHOTOGRAPH = '1858-01-01T00:00:00Z';

/** Where an item stands. */
export interface ItemContext {
  /** Address of the landing page. */
  readonly base: string;
  /** Address for one who has it, signed where a login is required. @param path begins with a slash */
  readonly link: (path: string) => string;
}

/**
 * A scene as an Item of STAC, with the files of its answers as assets.
 * @param answers those that succeeded
 * @see https://github.com/radiantearth/stac-spec/blob/v1.0.0/item-spec/item-spec.md
 */
export function stacItem(scene: Scene, answers: readonly Segmentation[], { base, link }: ItemContext): object {
  const collection = `${base}/collections/${SCENES}`;
  const { id, footprint, crs, affine, name, gsdM } = scene;
  return {
    type: 'Feature',
    stac_version: STAC_VERSION,
    stac_extensions: crs === null ? [] : [PROJECTION],
    id,
    collection: SCENES,
    geometry: footprint,
    ...(footprint ? { bbox: boundsOf(footprint) } : {}),
    properties: {
      title: name,
      ...timesOf(scene),
      created: scene.createdAt.toISOString(),
      ...(gsdM === null ? {} : { gsd: gsdM }),
      ...(crs === null ? {} : codeOf(crs)),
      ...(affine === null ? {} : { 'proj:transform': transformOf(affine) }),
      ...(crs === null ? {} : { 'proj:shape': [scene.heightPx, scene.widthPx] }),
      'terraql:sha256': scene.sha256,
      ...(scene.attribution === null ? {} : { 'terraql:attribution': scene.attribution }),
    },
    links: [
      { rel: 'self', href: `${collection}/items/${id}`, type: GEOJSON_TYPE },
      { rel: 'root', href: base, type: JSON_TYPE },
      { rel: 'parent', href: collection, type: JSON_TYPE },
      { rel: 'collection', href: collection, type: JSON_TYPE },
      ...(footprint ? [{ rel: 'tilejson', href: link(`/tiles/scenes/${id}.json`), type: JSON_TYPE, title: name }] : []),
    ],
    assets: Object.assign({}, ...answers.map((answer) => assetsOf(answer, link))) as object,
  };
}

/** The three files of an answer, by keys that begin with its identifier. */
function assetsOf({ id, prompt, model }: Segmentation, link: ItemContext['link']): object {
  const about = { title: prompt.slice(0, MAX_TITLE), 'terraql:prompt': prompt, 'terraql:model': model.id };
  const filter = encodeURIComponent(JSON.stringify({ segmentationId: id }));
  return {
    [`${id}-features`]: {
      href: link(`/features.geojson?filter=${filter}`),
      type: GEOJSON_TYPE,
      roles: ['data'],
      description: 'Polygons of the answer.',
      ...about,
    },
    [`${id}-mask`]: {
      href: link(`/segmentations/${id}/mask.tif`),
      type: 'image/tiff; application=geotiff; profile=cloud-optimized',
      roles: ['data'],
      description: 'Pixels of the answer, in the frame of the image.',
      ...about,
    },
    [`${id}-overlay`]: {
      href: link(`/segmentations/${id}/overlay.png`),
      type: 'image/png',
      roles: ['overview'],
      description: 'The image with the answer drawn over it.',
      ...about,
    },
  };
}

/** An image without a date was taken before it was registered. */
function timesOf({ acquiredAt, createdAt }: Scene): object {
  if (acquiredAt) return { datetime: acquiredAt.toISOString() };
  return { datetime: null, start_datetime: FIRST_PHOTOGRAPH, end_datetime: createdAt.toISOString() };
}

function codeOf(crs: string): object {
  return /^[A-Z]+:\d+$/.test(crs) ? { 'proj:code': crs } : { 'proj:code': null, 'proj:wkt2': crs };
}

/** GDAL's geotransform in the order of an affine matrix. */
function transformOf([x, xByColumn, xByRow, y, yByColumn, yByRow]: readonly number[]): number[] {
  return [xByColumn!, xByRow!, x!, yByColumn!, yByRow!, y!, 0, 0, 1];
}

/** West, south, east and north; west > east across the antimeridian, where the area is split (RFC 7946, 3.1.9 and 5.2). */
function boundsOf(area: Polygon | MultiPolygon): [number, number, number, number] {
  const parts = area.type === 'Polygon' ? [area.coordinates] : area.coordinates;
  const boxes = parts.map(([ring]) => {
    const [longitudes, latitudes] = [ring!.map(([x]) => x!), ring!.map(([, y]) => y!)];
    return [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)] as const;
  });
  const [west, south, east, north] = [0, 1, 2, 3].map((at) =>
    (at < 2 ? Math.min : Math.max)(...boxes.map((box) => box[at]!)),
  ) as [number, number, number, number];
  const before = boxes.filter((box) => box[2] === 180);
  const after = boxes.filter((box) => box[0] === -180);
  const crosses = before.length > 0 && after.length > 0 && before.length + after.length === boxes.length;
  if (!crosses) return [west, south, east, north];
  return [Math.min(...before.map((box) => box[0])), south, Math.max(...after.map((box) => box[2])), north];
}
