import { EXPORT_FORMATS } from '../../export/export-format.ts';
import {
  answer,
  binary,
  type DescribedOperation,
  inPath,
  inQuery,
  JSON_TYPE,
  jsonBody,
  jsonInQuery,
  RANGED,
  reference,
  UNCHANGED,
} from './operation.ts';

const ID = inPath('id', 'Identifier.');
const TILE = [
  inPath('z', 'Zoom level.', { type: 'integer', minimum: 0 }),
  inPath('x', 'Column of the tile, from the west.', { type: 'integer', minimum: 0 }),
] as const;
const pictureRow = (...formats: readonly string[]) =>
  inPath('file', 'Row of the tile, from the north, perhaps `@2x`, and the format, such as `12@2x.webp`.', {
    type: 'string',
    pattern: `^[0-9]+(@2x)?\\.(${formats.join('|')})$`,
  });
const REVISION = inQuery('r', 'Any text; another one makes another address of the same thing.');
const FILTER = jsonInQuery('filter', 'Only features that match; a `FeatureFilter`.', reference('FeatureFilter'));
const VIEW = inQuery('view', 'Only features of the saved view of that slug, instead of `filter`.');
const TILE_JSON = answer('TileJSON 3.0.0.', { [JSON_TYPE]: reference('TileJson') });

/** Features as files, whole. */
const EXPORTED: Pick<DescribedOperation, 'tag' | 'answers' | 'errors'> = {
  tag: 'Files',
  answers: {
    '200': {
      ...binary('The features.', ...EXPORT_FORMATS.map(({ mediaType }) => mediaType)),
      headers: {
        'TerraQL-Feature-Count': { description: 'Number of features.', schema: { type: 'integer' } },
        'TerraQL-Features-Left-Out': {
          description: 'Number of features without a georeference, which the format cannot hold.',
          schema: { type: 'integer' },
        },
      },
    },
  },
  errors: [403, 404, 413],
};
const FORMAT = inPath('format', 'Format of the file.', {
  type: 'string',
  enum: EXPORT_FORMATS.map(({ extension }) => extension),
});

const rendering = (name: string, operationId: string, type: string, summary: string): DescribedOperation => ({
  method: 'GET',
  path: `/segmentations/{id}/${name}`,
  operationId,
  summary,
  tag: 'Files',
  parameters: [ID],
  answers: { '200': binary('The picture.', type), ...RANGED },
  errors: [404, 422],
});

/** Pictures, tiles, exports and uploads. */
export const FILE_OPERATIONS: readonly DescribedOperation[] = [
  {
    ...EXPORTED,
    method: 'GET',
    path: '/features.{format}',
    operationId: 'exportFeatures',
    summary: 'Features that match, as a file',
    parameters: [
      FORMAT,
      FILTER,
      VIEW,
      REVISION,
      jsonInQuery('orderBy', 'Order of the features.', reference('FeatureOrder')),
      inQuery('precision', 'Decimal places of coordinates.', { type: 'integer' }),
      inQuery('simplifyM', 'Largest shift of an outline by simplification, metres.', { type: 'number' }),
      inQuery('limit', 'Most features.', { type: 'integer' }),
      inQuery('include', 'Names of the attributes to write, separated by commas.', { type: 'string' }),
      inQuery('crs', 'Coordinate reference system of CSV and GeoParquet, EPSG:code.', { type: 'string' }),
    ],
  },
  {
    ...EXPORTED,
    method: 'POST',
    path: '/features.{format}',
    operationId: 'exportFilteredFeatures',
    summary: 'Features that match a filter of any length, as a file',
    parameters: [FORMAT, VIEW, REVISION],
    requestBody: jsonBody(reference('FeatureRequest')),
    errors: [403, 404, 413, 415],
  },
  {
    method: 'GET',
    path: '/exports/{id}/{name}',
    operationId: 'getStoredExport',
    summary: 'The file of a stored export, until it expires',
    tag: 'Files',
    parameters: [ID, inPath('name', 'Name of the file.')],
    answers: { '200': binary('The file.', '*/*'), ...RANGED },
    errors: [404],
  },
  rendering('mask.png', 'getMask', 'image/png', 'The mask of an answer'),
  rendering('overlay.png', 'getOverlay', 'image/png', 'The answer laid over the scene'),
  rendering(
    'mask.tif',
    'getMaskGeoTiff',
    'image/tiff; application=geotiff; profile=cloud-optimized',
    'The mask as a Cloud Optimized GeoTIFF',
  ),
  {
    method: 'PUT',
    path: '/uploads/{id}',
    operationId: 'putUpload',
    summary: 'The bytes of an image, at the address that the mutation createUpload gave',
    tag: 'Files',
    parameters: [ID, inQuery('token', 'From the address of the upload.')],
    requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } },
    answers: { '204': { description: 'The bytes are stored.' } },
    errors: [404, 409, 413, 507],
  },
  {
    method: 'GET',
    path: '/tiles/features.json',
    operationId: 'getFeatureTileJson',
    summary: 'TileJSON of features that match',
    tag: 'Tiles',
    parameters: [FILTER, VIEW, REVISION],
    answers: { '200': TILE_JSON },
    errors: [404],
  },
  {
    method: 'GET',
    path: '/tiles/features/{z}/{x}/{y}.mvt',
    operationId: 'getFeatureTile',
    summary: 'Features that match, as a Mapbox vector tile',
    tag: 'Tiles',
    parameters: [...TILE, inPath('y', 'Row of the tile, from the north.', { type: 'integer' }), FILTER, VIEW, REVISION],
    answers: { '200': binary('The tile.', 'application/vnd.mapbox-vector-tile'), ...UNCHANGED },
    errors: [404],
  },
  {
    method: 'GET',
    path: '/tiles/scenes/{id}.json',
    operationId: 'getSceneTileJson',
    summary: 'TileJSON of a scene',
    tag: 'Tiles',
    parameters: [ID],
    answers: { '200': TILE_JSON },
    errors: [404],
  },
  {
    method: 'GET',
    path: '/tiles/scenes/{id}/{z}/{x}/{file}',
    operationId: 'getSceneTile',
    summary: 'A tile of a scene',
    tag: 'Tiles',
    parameters: [
      ID,
      ...TILE,
      pictureRow('webp', 'png', 'jpg'),
      inQuery('bands', 'Bands shown as red, green and blue, or one as grey, such as `4,3,2`.'),
      inQuery('rescale', 'Values shown as black and white, such as `0,3000`.'),
      REVISION,
    ],
    answers: { '200': binary('The tile.', 'image/webp', 'image/png', 'image/jpeg'), ...UNCHANGED },
    errors: [404, 422],
  },
  {
    method: 'GET',
    path: '/tiles/scenes/{z}/{x}/{file}',
    operationId: 'getMosaicTile',
    summary: 'A tile of all scenes that match, the newest on top',
    tag: 'Tiles',
    parameters: [
      ...TILE,
      pictureRow('webp', 'png', 'jpg'),
      jsonInQuery('filter', 'Only scenes that match; a `SceneFilter`.', reference('SceneFilter')),
      REVISION,
    ],
    answers: { '200': binary('The tile.', 'image/webp', 'image/png', 'image/jpeg'), ...UNCHANGED },
    errors: [404, 422],
  },
  {
    method: 'GET',
    path: '/tiles/segmentations/{id}.json',
    operationId: 'getSegmentationTileJson',
    summary: 'TileJSON of the mask of an answer',
    tag: 'Tiles',
    parameters: [ID],
    answers: { '200': TILE_JSON },
    errors: [404],
  },
  {
    method: 'GET',
    path: '/tiles/segmentations/{id}/{z}/{x}/{file}',
    operationId: 'getSegmentationTile',
    summary: 'A tile of the mask of an answer',
    tag: 'Tiles',
    parameters: [ID, ...TILE, pictureRow('webp', 'png'), REVISION],
    answers: { '200': binary('The tile.', 'image/webp', 'image/png'), ...UNCHANGED },
    errors: [404, 422],
  },
];
