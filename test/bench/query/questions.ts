import { ORIGIN, STEP } from './seed-city.ts';
import { box } from '../../database/seeds.ts';
import { seededRandom } from '../../seeded.ts';

/** Those who answer, the floor last. */
export const CONTENDERS = ['TerraQL', 'PostGraphile', 'pg'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** A place that a question is asked about: a box of the grid, `[west, south, east, north]`, and its middle. */
export interface Place {
  readonly bbox: readonly [number, number, number, number];
  readonly longitude: number;
  readonly latitude: number;
}

/** Rows of an answer, in its order, all contenders' in the same words. */
export type Rows = readonly Readonly<Record<string, unknown>>[];

/** How a contender is asked. */
export interface Operation {
  /** The operation in words, for the report. */
  readonly says: string;
  readonly document: string;
  readonly variables: (place: Place) => object;
  /** @param data `data` of the answer */
  readonly rows: (data: unknown) => Rows;
}

export interface Question {
  /** Path of the floor, name of its statement. */
  readonly name: 'features' | 'nearest' | 'adjacent' | 'cells';
  readonly title: string;
  /** Side of the box in features of the grid, columns and rows. */
  readonly size: readonly [number, number];
  readonly operations: Record<'TerraQL' | 'PostGraphile', Operation>;
}

/** Features of the first question: those of a box of 40 × 25. */
export const NEAREST = 50;
export const NEAR_M = 2000;
export const MIN_AREA_M2 = 500;
export const ADJACENT = 100;

/** Boxes of features, drawn anew for each question and the same in every run; their edges run between features. */
export function placesOf(
  { size: [columns, rows] }: Question,
  grid: { columns: number; rows: number },
  count = 16,
): Place[] {
  const random = seededRandom(columns * rows);
  return Array.from({ length: count }, () => {
    const west = ORIGIN.east + STEP.east * Math.floor(random() * (grid.columns - columns));
    const south = ORIGIN.north + STEP.north * Math.floor(random() * (grid.rows - rows));
    const [east, north] = [west + STEP.east * columns, south + STEP.north * rows];
    return { bbox: [west, south, east, north], longitude: (west + east) / 2, latitude: (south + north) / 2 };
  });
}

type Nodes = Readonly<Record<string, unknown>>[];

const features: Question = {
  name: 'features',
  title: '1,000 features in a bbox, with area and GeoJSON',
  size: [40, 25],
  operations: {
    TerraQL: {
      says: 'features(filter: {bbox}) { nodes { id areaM2 geometry } }',
      document: `query ($bbox: [Float!]!) {
        features(filter: { bbox: $bbox }, orderBy: { by: CREATED, direction: ASC }, first: 1000) {
          nodes { id areaM2 geometry(precision: 9) }
        }
      }`,
      variables: ({ bbox }) => ({ bbox }),
      rows: (data) => (data as { features: { nodes: Nodes } }).features.nodes,
    },
    PostGraphile: {
      says: 'allFeatures(filter: {geometry: {intersects}}) { nodes { rowId areaM2 geometry { geojson } } }, the filter of graphile-postgis',
      document: `query ($box: GeoJSON!) {
        allFeatures(filter: { geometry: { intersects: $box } }, orderBy: [PRIMARY_KEY_ASC], first: 1000) {
          nodes { rowId areaM2 geometry { geojson } }
        }
      }`,
      variables: ({ bbox }) => ({ box: box(...bbox) }),
      rows: (data) =>
        (data as { allFeatures: { nodes: Nodes } }).allFeatures.nodes.map(({ rowId, areaM2, geometry }) => ({
          id: rowId,
          areaM2,
          geometry: (geometry as { geojson: unknown }).geojson,
        })),
    },
  },
};

const nearest: Question = {
  name: 'nearest',
  title: `the ${NEAREST} nearest within ${NEAR_M} m of a point, with area and distance`,
  size: [1, 1],
  operations: {
    TerraQL: {
      says: 'features(filter: {near}, orderBy: {by: DISTANCE}) { nodes { id areaM2 distanceM } }',
      document: `query ($point: GeoJSONGeometry!) {
        features(
          filter: { near: { geometry: $point, withinM: ${NEAR_M} } }
          orderBy: { by: DISTANCE, direction: ASC }
          first: ${NEAREST}
        ) { nodes { id areaM2 distanceM } }
      }`,
      variables: ({ longitude, latitude }) => ({ point: { type: 'Point', coordinates: [longitude, latitude] } }),
      rows: (data) => (data as { features: { nodes: Nodes } }).features.nodes,
    },
    PostGraphile: {
      says: 'featuresNear(…) { nodes { rowId areaM2 distanceM(…) } }, an SQL function and a computed column: its filters know no metres, its orders no distance',
      document: `query ($longitude: Float!, $latitude: Float!) {
        featuresNear(longitude: $longitude, latitude: $latitude, withinM: ${NEAR_M}, first: ${NEAREST}) {
          nodes { rowId areaM2 distanceM(longitude: $longitude, latitude: $latitude) }
        }
      }`,
      variables: ({ longitude, latitude }) => ({ longitude, latitude }),
      rows: (data) =>
        (data as { featuresNear: { nodes: Nodes } }).featuresNear.nodes.map(({ rowId, ...row }) => ({
          id: rowId,
          ...row,
        })),
    },
  },
};

const adjacent: Question = {
  name: 'adjacent',
  title: `the first ${ADJACENT} buildings of ${MIN_AREA_M2} m² or more in a bbox that have water as a neighbour`,
  size: [50, 50],
  operations: {
    TerraQL: {
      says: 'features(filter: {bbox, promptContains, areaM2, adjacentTo: {promptContains}}) { nodes { id areaM2 } }',
      document: `query ($bbox: [Float!]!) {
        features(
          filter: {
            bbox: $bbox
            promptContains: "building"
            areaM2: { min: ${MIN_AREA_M2} }
            adjacentTo: { promptContains: "water" }
          }
          orderBy: { by: CREATED, direction: ASC }
          first: ${ADJACENT}
        ) { nodes { id areaM2 } }
      }`,
      variables: ({ bbox }) => ({ bbox }),
      rows: (data) => (data as { features: { nodes: Nodes } }).features.nodes,
    },
    PostGraphile: {
      says: 'allFeatures(filter: {geometry, areaM2, segmentationByWorkspaceIdAndSegmentationId, or: [{featureAdjacenciesByWorkspaceIdAndFeatureA: {some}}, …B]}), the relation filters of postgraphile-plugin-connection-filter',
      document: `query ($box: GeoJSON!) {
        allFeatures(
          filter: {
            geometry: { intersects: $box }
            areaM2: { greaterThanOrEqualTo: ${MIN_AREA_M2} }
            segmentationByWorkspaceIdAndSegmentationId: { prompt: { includesInsensitive: "building" } }
            or: [
              { featureAdjacenciesByWorkspaceIdAndFeatureA: { some: { featureByWorkspaceIdAndFeatureB: {
                segmentationByWorkspaceIdAndSegmentationId: { prompt: { includesInsensitive: "water" } } } } } }
              { featureAdjacenciesByWorkspaceIdAndFeatureB: { some: { featureByWorkspaceIdAndFeatureA: {
                segmentationByWorkspaceIdAndSegmentationId: { prompt: { includesInsensitive: "water" } } } } } }
            ]
          }
          orderBy: [PRIMARY_KEY_ASC]
          first: ${ADJACENT}
        ) { nodes { rowId areaM2 } }
      }`,
      variables: ({ bbox }) => ({ box: box(...bbox) }),
      rows: (data) =>
        (data as { allFeatures: { nodes: Nodes } }).allFeatures.nodes.map(({ rowId, areaM2 }) => ({
          id: rowId,
          areaM2,
        })),
    },
  },
};

const cells: Question = {
  name: 'cells',
  title: 'count, area and mean probability of 10,000 features by 1 km cell',
  size: [100, 100],
  operations: {
    TerraQL: {
      says: 'featureStatistics(filter: {bbox}, groupBy: GRID_1KM) { key featureCount areaM2 meanProbability }',
      document: `query ($bbox: [Float!]!) {
        featureStatistics(filter: { bbox: $bbox }, groupBy: [GRID_1KM]) { key featureCount areaM2 meanProbability }
      }`,
      variables: ({ bbox }) => ({ bbox }),
      rows: (data) =>
        (data as { featureStatistics: Nodes }).featureStatistics.map(({ key, ...row }) => ({
          cell: (key as string[])[0],
          ...row,
        })),
    },
    PostGraphile: {
      says: 'featureCells(…) { nodes { x y featureCount areaM2 meanProbability } }, an SQL function: it groups by no place',
      document: `query ($west: Float!, $south: Float!, $east: Float!, $north: Float!) {
        featureCells(west: $west, south: $south, east: $east, north: $north) {
          nodes { x y featureCount areaM2 meanProbability }
        }
      }`,
      variables: ({ bbox: [west, south, east, north] }) => ({ west, south, east, north }),
      rows: (data) =>
        (data as { featureCells: { nodes: Nodes } }).featureCells.nodes.map(({ x, y, ...row }) => ({
          cell: `${String(x)}/${String(y)}`,
          ...row,
        })),
    },
  },
};

export const QUESTIONS: readonly Question[] = [features, nearest, adjacent, cells];
