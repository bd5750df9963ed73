import { ColumnType } from 'flatgeobuf/lib/mjs/flat-geobuf/column-type.js';
import { GeometryType } from 'flatgeobuf/lib/mjs/flat-geobuf/geometry-type.js';
import { magicbytes } from 'flatgeobuf/lib/mjs/constants.js';
import { buildFeature } from 'flatgeobuf/lib/mjs/generic/feature.js';
import { buildHeader } from 'flatgeobuf/lib/mjs/generic/featurecollection.js';
import { parseGeometry } from 'flatgeobuf/lib/mjs/geojson/geometry.js';
import type { HeaderMeta } from 'flatgeobuf/lib/mjs/header-meta.js';
import type { MultiPolygon, Polygon } from 'geojson';
import type { AttributeKind, FeatureAttribute } from '../feature/feature-record.ts';
import type { ExportContents, ExportRow } from './export-row.ts';

const WGS84 = 4326;
const COLUMN_TYPES: Readonly<Record<AttributeKind, ColumnType>> = {
  TEXT: ColumnType.String,
  REAL: ColumnType.Double,
  COUNT: ColumnType.Long,
  TIME: ColumnType.DateTime,
};

/** A count of 0 says that the number of features is not known in advance; an index node size of 0 says that there is no index. */
const headerOf = (columns: readonly FeatureAttribute[]): HeaderMeta => ({
  geometryType: GeometryType.MultiPolygon,
  columns: columns.map(({ name, kind, nullable }) => ({
    name,
    type: COLUMN_TYPES[kind],
    title: null,
    description: null,
    width: -1,
    precision: -1,
    scale: -1,
    nullable,
    unique: false,
    primary_key: false,
  })),
  envelope: null,
  featuresCount: 0,
  indexNodeSize: 0,
  crs: null,
  title: null,
  description: null,
  metadata: null,
});

/**
 * FlatGeobuf of MultiPolygons in EPSG:4326, longitude first. There is no spatial index: it stands before the features
 * and holds the byte at which each begins, so that it cannot be written before they all are.
 * @see https://flatgeobuf.org
 */
export async function* writeFlatGeobuf({ batches, columns }: ExportContents): AsyncGenerator<Uint8Array> {
  const header = headerOf(columns);
  yield alignedHead(header);
  for await (const rows of batches) yield Buffer.concat(rows.map((row) => featureBytes(row, columns, header)));
}

/** Coordinates are doubles, and lie on multiples of 8 bytes in a feature; readers view them where they lie in the file. */
const ALIGNMENT = 8;

/** What comes before the features: magic bytes, size of the header, header, and zeros that the size counts in. */
function alignedHead(meta: HeaderMeta): Uint8Array {
  const header = buildHeader(meta, WGS84);
  const padding = -(magicbytes.length + header.length) & (ALIGNMENT - 1);
  const head = Buffer.concat([magicbytes, header, Buffer.alloc(padding)]);
  head.writeUInt32LE(head.readUInt32LE(magicbytes.length) + padding, magicbytes.length);
  return head;
}

function featureBytes(
  { record, outline }: ExportRow,
  columns: readonly FeatureAttribute[],
  header: HeaderMeta,
): Uint8Array {
  const properties = Object.fromEntries(
    columns.map(({ name }) => {
      const value = record[name];
      return [name, value instanceof Date ? value.toISOString() : value];
    }),
  );
  return buildFeature(parseGeometry(toMultiPolygon(outline)), properties, header);
}

/** A layer has one type of geometry: a single polygon becomes a MultiPolygon of one. */
function toMultiPolygon(outline: string): MultiPolygon {
  const geometry = JSON.parse(outline) as Polygon | MultiPolygon;
  return geometry.type === 'MultiPolygon' ? geometry : { type: 'MultiPolygon', coordinates: [geometry.coordinates] };
}
