import { z } from 'zod';

/** One thing that a language model may do with the service. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Whether it changes what is stored. */
  readonly writes: boolean;
  readonly input: z.ZodRawShape;
  /** The operation that it runs; its variables are the input. */
  readonly document: string;
}

const Filter = z
  .record(z.string(), z.unknown())
  .describe(
    'Conditions, all of which hold: FeatureFilter of the GraphQL schema. Such as {"promptContains": "water"}, {"sceneIds": ["…"]}, {"areaM2": {"min": 500}}, {"bbox": [west, south, east, north]}, {"near": {"geometry": {"type": "Point", "coordinates": [lon, lat]}, "withinM": 200}}, {"adjacentTo": {"prompt": "road"}}; and, or, not combine filters.',
  );
const First = z.number().int().min(1).describe('Most items of the answer.');
const After = z.string().describe('endCursor of the previous page.');

const REQUESTED = `id prompt state featureCount areaM2 failure { code message }`;

/** What {@link serveMcp} offers, each one an operation of the API. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'scenes',
    title: 'List scenes',
    description: 'Registered images, newest first: name, size, ground sample distance, area and date.',
    writes: false,
    input: {
      name: z.string().describe('Part of the name.').optional(),
      first: First.optional(),
      after: After.optional(),
    },
    document: `query McpScenes($name: String, $first: Int = 20, $after: String) {
      scenes(filter: { name: $name }, first: $first, after: $after) {
        totalCount nodes { id name widthPx heightPx crs gsdM areaM2 acquiredAt } pageInfo { hasNextPage endCursor } } }`,
  },
  {
    name: 'segmentation',
    title: 'Look at a question that was asked',
    description: 'State, progress and result of one question about one scene.',
    writes: false,
    input: { id: z.string().describe('Identifier of the segmentation.') },
    document: `query McpSegmentation($id: ID!) { segmentation(id: $id) { ${REQUESTED} scene { id name } progress { phase fraction } } }`,
  },
  {
    name: 'features',
    title: 'Find polygons',
    description: 'Polygons that the vision model found: area, perimeter, probability and centre. Geometries on demand.',
    writes: false,
    input: {
      filter: Filter.optional(),
      orderBy: z.record(z.string(), z.string()).describe('Such as {"by": "AREA", "direction": "DESC"}.').optional(),
      geometry: z.boolean().describe('Whether the outlines are in the answer, as GeoJSON.').optional(),
      first: First.optional(),
      after: After.optional(),
    },
    document: `query McpFeatures($filter: FeatureFilter, $orderBy: FeatureOrder, $geometry: Boolean = false, $first: Int = 20, $after: String) {
      features(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
        totalCount
        nodes { id areaM2 perimeterM meanProbability centroid geometry @include(if: $geometry) segmentation { id prompt scene { id name } } }
        pageInfo { hasNextPage endCursor } } }`,
  },
  {
    name: 'statistics',
    title: 'Count and measure polygons',
    description: 'Number, area, perimeter and mean probability of matching polygons, together or by group.',
    writes: false,
    input: {
      filter: Filter.optional(),
      groupBy: z
        .array(z.string())
        .describe('Any of PROMPT, SCENE, SEGMENTATION, MODEL, ACQUIRED_DAY, GRID_1KM, GRID_10KM.')
        .optional(),
    },
    document: `query McpStatistics($filter: FeatureFilter, $groupBy: [FeatureGrouping!]! = []) {
      featureStatistics(filter: $filter, groupBy: $groupBy) { key featureCount areaM2 perimeterM meanProbability } }`,
  },
  {
    name: 'register',
    title: 'Register an image',
    description: 'Registers an image, such as a GeoTIFF, by its path on the server or by its address.',
    writes: true,
    input: {
      path: z.string().describe('Path on the server, in a folder that it may read.').optional(),
      url: z.string().describe('https or s3 address.').optional(),
      name: z.string().optional(),
    },
    document: `mutation McpRegister($path: String, $url: String, $name: String) {
      registerScene(input: { path: $path, url: $url, name: $name }) { id name widthPx heightPx crs gsdM areaM2 acquiredAt } }`,
  },
  {
    name: 'ask',
    title: 'Ask about an image',
    description:
      'Asks a vision model questions about a scene in plain words, such as "Where is water?", and stores the polygons that it finds. Look at the answer with features, by the filter {"segmentationId": "…"}.',
    writes: true,
    input: {
      sceneId: z.string().describe('Identifier of the scene.'),
      prompts: z.array(z.string()).min(1).describe('Questions.'),
      waitS: z.number().min(0).max(600).describe('Seconds to wait for the answers; 50 unless given.').optional(),
    },
    document: `mutation McpAsk($sceneId: ID!, $prompts: [String!]!, $waitS: Float = 50) {
      segment(input: { sceneId: $sceneId, prompts: $prompts, waitS: $waitS }) { ${REQUESTED} } }`,
  },
];
