import { ByteWriter, ParquetWriter, type ColumnSource, type SchemaElement } from 'hyparquet-writer';
import type { AttributeKind, FeatureAttribute } from '../feature/feature-record.ts';
import { projJsonOf } from '../imagery/crs/crs.ts';
import type { ExportContents, ExportRow } from './export-row.ts';
import { positionOffsets } from './wkb-positions.ts';

/** A row group ends at this many rows, and at this many characters of outlines; it is held in memory once. */
const GROUP_ROWS = 10_000;
const GROUP_CHARACTERS = 16 * 1024 ** 2;

type Extent = readonly [xmin: number, ymin: number, xmax: number, ymax: number];
const EXTENT_FIELDS = ['xmin', 'ymin', 'xmax', 'ymax'] as const;

const TYPES: Readonly<Record<AttributeKind, Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>>> = {
  TEXT: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  REAL: { type: 'DOUBLE' },
  COUNT: { type: 'INT64' },
  TIME: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
};

const schemaOf = (columns: readonly FeatureAttribute[]): SchemaElement[] => [
  { name: 'schema', num_children: columns.length + 2 },
  ...columns.map(({ name, kind, nullable }): SchemaElement => ({
    name,
    repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
    ...TYPES[kind],
  })),
  { name: 'bbox', repetition_type: 'REQUIRED', num_children: EXTENT_FIELDS.length },
  ...EXTENT_FIELDS.map((name): SchemaElement => ({ name, repetition_type: 'REQUIRED', type: 'DOUBLE' })),
  { name: 'geometry', repetition_type: 'REQUIRED', type: 'BYTE_ARRAY' },
];

/**
 * GeoParquet 1.1: outlines as well-known binary in OGC:CRS84 (the default of the format, longitude first) or in the system
 * that its metadata name, with the extent of each in the covering column `bbox`. Row groups go out as they fill up.
 * @see https://geoparquet.org/releases/v1.1.0
 */
export async function* writeGeoParquet({ batches, columns, crs }: ExportContents): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: schemaOf(columns), createdBy: 'TerraQL' });
  const seen = new SeenGeometries(crs === null ? {} : { crs: await projJsonOf(crs) });
  const extentOf = crs === null ? groundExtent : coordinateExtent;
  let group: ExportRow[] = [];
  let characters = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      group.push(row);
      characters += row.outline.length;
    }
    if (group.length < GROUP_ROWS && characters < GROUP_CHARACTERS) continue;
    await writeGroup(group);
    yield taken(writer);
    group = [];
    characters = 0;
  }
  if (group.length > 0) await writeGroup(group);
  parquet.kvMetadata = [{ key: 'geo', value: JSON.stringify(seen.metadata()) }];
  await parquet.finish();
  yield taken(writer);

  async function writeGroup(rows: readonly ExportRow[]): Promise<void> {
    const outlines = rows.map(({ outline }) => Buffer.from(outline, 'base64'));
    const extents = rows.map((row, index) => extentOf(row, outlines[index]!));
    outlines.forEach((wkb, index) => seen.add(wkb, extents[index]!));
    const columnData: ColumnSource[] = [
      ...columns.map((column) => ({ name: column.name, data: rows.map((row) => cell(column, row)) })),
      { name: 'bbox', data: extents.map(([xmin, ymin, xmax, ymax]) => ({ xmin, ymin, xmax, ymax })) },
      { name: 'geometry', data: outlines, statistics: false },
    ];
    await parquet.write({ columnData, rowGroupSize: rows.length });
  }
}

function cell({ name, kind }: FeatureAttribute, { record }: ExportRow): string | number | bigint | Date | null {
  const value = record[name];
  return kind === 'COUNT' && typeof value === 'number' ? BigInt(value) : value;
}

/** What was written since the last call. */
function taken(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}

/**
 * Extent as the coordinates have it. An outline across the antimeridian has parts at both ends, so its extent spans all
 * longitudes: a reader that knows nothing of the antimeridian must not miss it.
 */
function groundExtent({ record }: ExportRow): Extent {
  const [west, south, east, north] = record.bbox;
  return west <= east ? [west, south, east, north] : [-180, south, 180, north];
}

function coordinateExtent(_row: ExportRow, wkb: Buffer): Extent {
  let [xmin, ymin, xmax, ymax] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const at of positionOffsets(wkb)) {
    const [x, y] = [wkb.readDoubleLE(at), wkb.readDoubleLE(at + 8)];
    [xmin, ymin, xmax, ymax] = [Math.min(xmin, x), Math.min(ymin, y), Math.max(xmax, x), Math.max(ymax, y)];
  }
  return [xmin, ymin, xmax, ymax];
}

/** What the file-level metadata says of all outlines. */
class SeenGeometries {
  private readonly types = new Set<'Polygon' | 'MultiPolygon'>();
  private extent: Extent = [Infinity, Infinity, -Infinity, -Infinity];

  /** @param described what the metadata say of the outlines besides */
  constructor(private readonly described: object) {}

  /** @param wkb little-endian; bytes 1 to 4 are the type, 3 for Polygon and 6 for MultiPolygon (OGC 06-103r4, clause 8) */
  add(wkb: Buffer, [xmin, ymin, xmax, ymax]: Extent): void {
    this.types.add(wkb.readUInt32LE(1) === 3 ? 'Polygon' : 'MultiPolygon');
    const [left, bottom, right, top] = this.extent;
    this.extent = [Math.min(left, xmin), Math.min(bottom, ymin), Math.max(right, xmax), Math.max(top, ymax)];
  }

  /** The value of the key `geo`. */
  metadata(): object {
    const covering = { bbox: Object.fromEntries(EXTENT_FIELDS.map((name) => [name, ['bbox', name]])) };
    const geometry = {
      encoding: 'WKB',
      geometry_types: [...this.types].toSorted(),
      edges: 'planar',
      ...this.described,
      ...(this.types.size > 0 ? { bbox: this.extent } : {}),
      covering,
    };
    return { version: '1.1.0', primary_column: 'geometry', columns: { geometry } };
  }
}
