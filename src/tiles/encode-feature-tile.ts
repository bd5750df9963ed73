import { fromVectorTileJs } from '@maplibre/vt-pbf';
import { bboxPolygon } from '@turf/turf';
import { z } from 'zod';
import { MEASURE_SHAPE } from '../feature/measures.schema.ts';
import { CELLS, EXTENT } from './feature-tile.ts';

const ring = z.array(z.tuple([z.number(), z.number()]));
/** A feature of a tile: attributes, and outline in units of the tile. */
export const TileFeatureRow = z.object({
  id: z.string(),
  sceneId: z.string(),
  segmentationId: z.string(),
  prompt: z.string(),
  review: z.string().nullable(),
  ...MEASURE_SHAPE,
  outline: z.discriminatedUnion('type', [
    z.object({ type: z.literal('Polygon'), coordinates: z.array(ring) }),
    z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(ring)) }),
  ]),
});
/** Features that a tile counts in one of its cells. */
export const TileCellRow = z.object({
  cell_column: z.number(),
  cell_row: z.number(),
  count: z.number(),
  areaM2: z.number(),
  meanProbability: z.number(),
  left_out: z.number(),
});

type Ring = z.infer<typeof ring>;
type Attributes = Readonly<Record<string, string | number>>;
interface TileObject {
  readonly rings: readonly Ring[];
  readonly attributes: Attributes;
}

/**
 * Encodes a Mapbox vector tile of the layers `features` and `cells`; a layer without anything is left out.
 * @param features exteriors of positive area, as {@link TileFeatureRow} comes
 */
export function encodeFeatureTile(
  features: readonly z.infer<typeof TileFeatureRow>[],
  cells: readonly z.infer<typeof TileCellRow>[],
): Uint8Array {
  const layers = {
    ...layer(
      'features',
      features.map(({ outline, ...attributes }) => ({
        rings: outline.type === 'Polygon' ? outline.coordinates : outline.coordinates.flat(),
        attributes: present(attributes),
      })),
    ),
    ...layer(
      'cells',
      cells.map(({ cell_column: column, cell_row: row, ...attributes }) => ({
        rings: [square(column, row)],
        attributes,
      })),
    ),
  };
  return fromVectorTileJs({ layers } as unknown as Parameters<typeof fromVectorTileJs>[0]);
}

function present(attributes: Readonly<Record<string, string | number | null>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== null),
  );
}

const CELL = EXTENT / CELLS;

function square(column: number, row: number): Ring {
  const [west, north] = [column * CELL, row * CELL];
  return bboxPolygon([west, north, west + CELL, north + CELL]).geometry.coordinates[0] as Ring;
}

const POLYGON = 3;

/** The layer as the encoder takes it: as `@mapbox/vector-tile` reads one. */
function layer(name: string, objects: readonly TileObject[]): Record<string, unknown> {
  if (objects.length === 0) return {};
  const feature = (index: number): unknown => {
    const { rings, attributes } = objects[index]!;
    return {
      type: POLYGON,
      properties: attributes,
      loadGeometry: () => rings.map((positions) => positions.map(([x, y]) => ({ x, y }))),
    };
  };
  return { [name]: { version: 2, name, extent: EXTENT, length: objects.length, feature } };
}
