import type { CollectionContext } from './documents.ts';
import type { ItemCollection } from './item-collection.ts';
import { JSON_TYPE, type Link, MVT_TYPE } from './links.ts';

const REL = 'http://www.opengis.net/def/rel/ogc/1.0';
/** Half the side of the square of Web Mercator, metres. */
const HALF_SIDE_M = 20_037_508.342789244;
const TILE_PX = 256;
/** Metres of a pixel that scale denominators assume. @see OGC 17-083r4, 6.2 */
const PIXEL_M = 0.00028;
const LEVELS = 25;

const QUAD = 'WebMercatorQuad';
const QUAD_URI = 'http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad';
const WEB_MERCATOR = 'http://www.opengis.net/def/crs/EPSG/0/3857';

export type TileContext = Pick<CollectionContext, 'base' | 'root'>;

/** Links of a collection to its tiles; none where it has no tiles. */
export function tilesLinks({ id, tilesQuery }: ItemCollection, { base }: TileContext): Link[] {
  if (tilesQuery === null) return [];
  return [
    { href: `${base}/collections/${id}/tiles`, rel: `${REL}/tilesets-vector`, type: JSON_TYPE, title: 'Vector tiles' },
  ];
}

function tileLink({ tilesQuery }: ItemCollection, { root }: TileContext): Link {
  return {
    href: `${root}/tiles/features/{tileMatrix}/{tileCol}/{tileRow}.mvt${tilesQuery ?? ''}`,
    rel: 'item',
    type: MVT_TYPE,
    title: 'Mapbox vector tile',
    templated: true,
  };
}

/** The one set of tiles of a collection. @see OGC 20-057, clause 8 */
export function tileset(collection: ItemCollection, context: TileContext): object {
  const { base } = context;
  return {
    title: collection.title,
    dataType: 'vector',
    crs: WEB_MERCATOR,
    tileMatrixSetURI: QUAD_URI,
    links: [
      { href: `${base}/collections/${collection.id}/tiles/${QUAD}`, rel: 'self', type: JSON_TYPE },
      { href: `${base}/tileMatrixSets/${QUAD}`, rel: `${REL}/tiling-scheme`, type: JSON_TYPE },
      tileLink(collection, context),
    ],
    layers: [
      { id: 'features', dataType: 'vector', geometryDimension: 2, description: 'Features of at least one pixel.' },
      {
        id: 'cells',
        dataType: 'vector',
        geometryDimension: 2,
        description: 'Counts of features that are too small or too many to draw.',
      },
    ],
  };
}

export function tilesets(collection: ItemCollection, context: TileContext): object {
  const self = `${context.base}/collections/${collection.id}/tiles`;
  return { links: [{ href: self, rel: 'self', type: JSON_TYPE }], tilesets: [tileset(collection, context)] };
}

export function tileMatrixSets({ base }: TileContext): object {
  const links: Link[] = [{ href: `${base}/tileMatrixSets/${QUAD}`, rel: 'self', type: JSON_TYPE }];
  return {
    tileMatrixSets: [
      { id: QUAD, title: 'Google Maps Compatible for the World', uri: QUAD_URI, crs: WEB_MERCATOR, links },
    ],
  };
}

/** @returns null for another name than WebMercatorQuad @see OGC 17-083r4, annex D.1 */
export function tileMatrixSet(id: string): object | null {
  if (id !== QUAD) return null;
  return {
    id: QUAD,
    title: 'Google Maps Compatible for the World',
    uri: QUAD_URI,
    crs: WEB_MERCATOR,
    orderedAxes: ['X', 'Y'],
    wellKnownScaleSet: 'http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible',
    tileMatrices: Array.from({ length: LEVELS }, (_, level) => {
      const cellSize = (2 * HALF_SIDE_M) / TILE_PX / 2 ** level;
      return {
        id: String(level),
        scaleDenominator: cellSize / PIXEL_M,
        cellSize,
        pointOfOrigin: [-HALF_SIDE_M, HALF_SIDE_M],
        tileWidth: TILE_PX,
        tileHeight: TILE_PX,
        matrixWidth: 2 ** level,
        matrixHeight: 2 ** level,
      };
    }),
  };
}
