import type { Geometry } from 'geojson';
import { html } from '../html.ts';
import { MAX_ZOOM } from './tile-grid.ts';

/** What the square of Web Mercator holds. */
const WORLD = [-180, -85.051129, 180, 85.051129] as const;

interface TileSet {
  readonly name: string;
  /** Address of the tiles with `{z}`, `{x}` and `{y}`. */
  readonly tiles: string;
  /** What the tiles show lies within; null for the world. */
  readonly footprint: Geometry | null;
  /** Whom to name where the tiles are shown, as plain text; null for nobody. */
  readonly attribution: string | null;
}

/**
 * Describes tiles to map programs.
 * @see https://github.com/mapbox/tilejson-spec/tree/master/3.0.0
 */
export function tileJson({ name, tiles, footprint, attribution }: TileSet) {
  return {
    tilejson: '3.0.0',
    name,
    tiles: [tiles],
    // programs show it as markup
    ...(attribution === null ? {} : { attribution: html`${attribution}`.markup }),
    minzoom: 0,
    maxzoom: MAX_ZOOM - 2,
    bounds: footprint === null ? WORLD : boundsOf(footprint),
  };
}

/** The box of a geometry; one across the antimeridian has the whole width of the world. */
function boundsOf(footprint: Geometry): readonly number[] {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    const [x, y] = value as unknown[];
    if (typeof x === 'number' && typeof y === 'number') {
      [west, south, east, north] = [Math.min(west, x), Math.min(south, y), Math.max(east, x), Math.max(north, y)];
    } else value.forEach(visit);
  };
  if ('coordinates' in footprint) visit(footprint.coordinates);
  return [west, Math.max(south, WORLD[1]), east, Math.min(north, WORLD[3])];
}
