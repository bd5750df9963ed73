import { geoJSONToWkt } from 'betterknown';
import type { MultiPolygon, Polygon, Position } from 'geojson';
import { type Crs, resolveCrs } from '../imagery/crs/crs.ts';
import { ExportOutsideCrsError } from './export-errors.ts';
import type { ExportRow, OutlineForm } from './export-row.ts';
import { positionOffsets } from './wkb-positions.ts';

/**
 * Rows with their outlines in another system, x before y, to the last digit of a double.
 * @param form of the outlines that are written; well-known text is made of RFC 7946 text
 * @throws {ExportOutsideCrsError} where an outline has no position in the system
 */
export async function* movedOutlines(
  batches: AsyncIterable<readonly ExportRow[]>,
  form: Extract<OutlineForm, 'WKT' | 'WKB'>,
  definition: string,
): AsyncGenerator<readonly ExportRow[]> {
  const crs = await resolveCrs(definition);
  for await (const rows of batches) {
    yield rows.map((row) => ({ ...row, outline: form === 'WKB' ? movedBinary(row, crs) : movedText(row, crs) }));
    // A batch is some ten milliseconds of work: others get their turn.
    await new Promise(setImmediate);
  }
}

function movedBinary(row: ExportRow, crs: Crs): string {
  const wkb = Buffer.from(row.outline, 'base64');
  for (const at of positionOffsets(wkb)) {
    const [x, y] = moved([wkb.readDoubleLE(at), wkb.readDoubleLE(at + 8)], row, crs);
    wkb.writeDoubleLE(x, at);
    wkb.writeDoubleLE(y, at + 8);
  }
  return wkb.toString('base64');
}

function movedText(row: ExportRow, crs: Crs): string {
  const outline = JSON.parse(row.outline) as Polygon | MultiPolygon;
  const rings = (polygon: Position[][]): Position[][] =>
    polygon.map((ring) => ring.map(([x, y]) => moved([x!, y!], row, crs)));
  return geoJSONToWkt(
    outline.type === 'Polygon'
      ? { ...outline, coordinates: rings(outline.coordinates) }
      : { ...outline, coordinates: outline.coordinates.map(rings) },
  );
}

function moved(position: readonly [number, number], { record }: ExportRow, crs: Crs): [number, number] {
  const [x, y] = crs.fromWgs84(position);
  if (Number.isFinite(x) && Number.isFinite(y)) return [x, y];
  throw new ExportOutsideCrsError(record.id, position, crs.definition);
}
