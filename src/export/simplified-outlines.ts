import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MultiPolygon, Polygon, Position as GeoJsonPosition } from 'geojson';
import { type Position, type Rings, simplifyCoverage } from '../vector/simplify-coverage.ts';

/** An outline as it is stored. */
export interface StoredOutline {
  /** RFC 7946 text with all digits. */
  readonly outline: string;
  /** Side of a pixel, metres. */
  readonly pixelM: number;
  /** Metres of a degree of longitude and of latitude where it lies. */
  readonly eastM: number;
  readonly northM: number;
}

/** A vertex of one outline that lies this near to the edge of another is on it: projection bends the edges of pixels by less. */
const SNAP_PX = 0.1;
const SNAP_SHARE = 0.1;
/** Where outlines across the antimeridian are cut. */
const isOnSeam = ([longitude]: Position): boolean => Math.abs(longitude) === 180;

/**
 * Simplified outlines in a temporary file, so that no more than those of a scene are in memory: outlines meet only within
 * their scene, and come in an order that knows nothing of scenes.
 */
export class SimplifiedOutlines {
  private readonly offsets: Float64Array;
  private readonly lengths: Uint32Array;
  private end = 0;

  private constructor(
    private readonly folder: string,
    private readonly file: FileHandle,
    count: number,
  ) {
    this.offsets = new Float64Array(count);
    this.lengths = new Uint32Array(count);
  }

  /** @param count of outlines, each of which has an index below it */
  static async create(count: number): Promise<SimplifiedOutlines> {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-outlines-'));
    return new SimplifiedOutlines(folder, await open(path.join(folder, 'outlines'), 'wx+'), count);
  }

  /**
   * Simplifies the outlines of a scene.
   * @param stored by index
   * @param simplifyM largest shift, metres
   */
  async add(stored: ReadonlyMap<number, StoredOutline>, simplifyM: number): Promise<void> {
    const [first] = stored.values();
    if (!first) return;
    const pixelM = [...stored.values()].reduce((least, outline) => Math.min(least, outline.pixelM), Infinity);
    const steps = simplifyCoverage(
      [...stored.values()].map(({ outline }) => polygonsOf(JSON.parse(outline) as Polygon | MultiPolygon)),
      {
        tolerance: simplifyM,
        snap: Math.min(pixelM * SNAP_PX, simplifyM * SNAP_SHARE),
        scale: [first.eastM, first.northM],
        isFixed: isOnSeam,
      },
    );
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) await new Promise(setImmediate);
    for (const [at, index] of [...stored.keys()].entries()) await this.write(index, step.value[at]!);
  }

  /** @returns RFC 7946 text of outlines by index; null where none was added */
  async read(from: number, count: number): Promise<(string | null)[]> {
    const outlines: (string | null)[] = [];
    for (let index = from; index < from + count; index++) outlines.push(await this.outline(index));
    return outlines;
  }

  async close(): Promise<void> {
    await this.file.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async outline(index: number): Promise<string | null> {
    const length = this.lengths[index]!;
    if (length === 0) return null;
    const { buffer } = await this.file.read(Buffer.alloc(length), 0, length, this.offsets[index]);
    return buffer.toString('latin1');
  }

  private async write(index: number, polygons: readonly Rings[]): Promise<void> {
    const geometry =
      polygons.length === 1
        ? { type: 'Polygon', coordinates: polygons[0]! }
        : { type: 'MultiPolygon', coordinates: polygons };
    const text = Buffer.from(JSON.stringify(geometry), 'latin1');
    this.offsets[index] = this.end;
    this.lengths[index] = text.length;
    await this.file.write(text, 0, text.length, this.end);
    this.end += text.length;
  }
}

function polygonsOf(geometry: Polygon | MultiPolygon): Rings[] {
  const polygons: GeoJsonPosition[][][] = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  return polygons as unknown as Rings[];
}
