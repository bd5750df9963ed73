import type { MultiPolygon, Polygon } from 'geojson';
import type { FeatureAttribute } from '../feature/feature-record.ts';
import { resolveCrs } from '../imagery/crs/crs.ts';
import { mapToPixel } from '../raster/affine.ts';
import { ringArea, withoutHoles } from '../vector/without-holes.ts';
import type { ExportContents, ExportRow, SceneFrame } from './export-row.ts';

type Point = readonly [x: number, y: number];
type ToPixel = (position: Point) => Point;

/** Corners of pixels come out whole: projecting there and back leaves them less than this away, in parts of a pixel. */
const STEPS_PER_PIXEL = 100;
/** An outline may reach over the edge of its image by rounding, pixels. */
const SLACK_PX = 1;

/**
 * COCO object detection, as training data: an image a scene, a category a prompt, an annotation a feature. A segmentation
 * has a polygon for each part of the outline, in pixels from the upper left corner; a hole is joined to the outside by a
 * bridge without area, as COCO's polygons have none. Scenes without a feature in the file are not in it.
 * @see https://cocodataset.org/#format-data
 */
export async function* writeCoco({ batches, columns }: ExportContents): AsyncGenerator<Uint8Array> {
  const images = new Map<string, CocoImage>();
  const categories = new Map<string, number>();
  const attributes = columns.filter(({ name }) => !TOLD_OTHERWISE.has(name));
  let count = 0;
  yield Buffer.from('{"info":{"description":"Features of TerraQL"},"licenses":[],"annotations":[\n');
  for await (const rows of batches) {
    const texts: string[] = [];
    for (const row of rows) {
      const { record, frame } = row;
      if (!frame) throw new Error('COCO needs rows with the frames of their scenes');
      const image = images.get(record.sceneId) ?? (await imageOf(images.size + 1, row, frame));
      images.set(record.sceneId, image);
      const category = categories.get(record.prompt) ?? categories.size + 1;
      categories.set(record.prompt, category);
      const annotation = annotationOf(++count, row, image, category, attributes);
      texts.push(JSON.stringify(annotation));
    }
    if (texts.length > 0) yield Buffer.from(`${count > texts.length ? ',\n' : ''}${texts.join(',\n')}`);
    await new Promise(setImmediate);
  }
  const lists = {
    images: [...images.values()].map(({ described }) => described),
    categories: [...categories].map(([name, id]) => ({ id, name, supercategory: '' })),
  };
  yield Buffer.from(`\n],${JSON.stringify(lists).slice(1)}\n`);
}

/** What an annotation says by its image, its category or its own members. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['id', 'sceneId', 'sceneName', 'prompt', 'meanProbability']);

interface CocoImage {
  readonly id: number;
  readonly described: object;
  readonly toPixel: ToPixel;
}

async function imageOf(id: number, { record }: ExportRow, frame: SceneFrame): Promise<CocoImage> {
  const described = {
    id,
    width: frame.widthPx,
    height: frame.heightPx,
    file_name: record.sceneName,
    scene_id: record.sceneId,
    ...(record.acquiredAt ? { date_captured: record.acquiredAt.toISOString() } : {}),
  };
  return { id, described, toPixel: await pixelsOf(frame) };
}

async function pixelsOf({ georeference, widthPx, heightPx }: SceneFrame): Promise<ToPixel> {
  if (!georeference) return (position) => position;
  const { affine } = georeference;
  const crs = await resolveCrs(georeference.crs);
  const isInside = ([x, y]: Point): boolean =>
    x >= -SLACK_PX && y >= -SLACK_PX && x <= widthPx + SLACK_PX && y <= heightPx + SLACK_PX;
  return ([longitude, latitude]) => {
    // The longitudes of an image across the antimeridian go on beyond 180 degrees, those of an outline do not.
    const turns = [0, 360, -360].map((turn) => mapToPixel(affine, ...crs.fromWgs84([longitude + turn, latitude])));
    const [x, y] = turns.find(isInside) ?? turns[0]!;
    return [rounded(x), rounded(y)];
  };
}

const rounded = (value: number): number => Math.round(value * STEPS_PER_PIXEL) / STEPS_PER_PIXEL;

function annotationOf(
  id: number,
  { record, outline }: ExportRow,
  { id: imageId, toPixel }: CocoImage,
  categoryId: number,
  attributes: readonly FeatureAttribute[],
): object {
  const geometry = JSON.parse(outline) as Polygon | MultiPolygon;
  const parts = (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates).map((rings) =>
    withoutHoles(rings.map((ring) => ring.map(([x, y]) => toPixel([x!, y!])))),
  );
  const points = parts.flat();
  const [x, y] = [0, 1].map((axis) => points.reduce((least, point) => Math.min(least, point[axis]!), Infinity));
  const [right, bottom] = [0, 1].map((axis) => points.reduce((most, point) => Math.max(most, point[axis]!), -Infinity));
  return {
    id,
    image_id: imageId,
    category_id: categoryId,
    iscrowd: 0,
    segmentation: parts.map((ring) => ring.flat()),
    area: rounded(parts.reduce((sum, ring) => sum + ringArea(ring), 0)),
    bbox: [x, y, rounded(right! - x!), rounded(bottom! - y!)],
    score: record.meanProbability,
    feature_id: record.id,
    attributes: Object.fromEntries(attributes.map(({ name }) => [name, record[name]])),
  };
}
