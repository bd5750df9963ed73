import { classifyRings, VectorTile, type VectorTileFeature } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';

export interface DecodedFeature {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Polygons of rings in units of the tile: the exterior first. */
  readonly polygons: readonly (readonly (readonly { readonly x: number; readonly y: number }[])[])[];
}

/** What the service's tiles have; a layer without anything is left out. */
export interface Layers {
  readonly features?: readonly DecodedFeature[];
  readonly cells?: readonly DecodedFeature[];
}

/** Layers of a tile by name, read by a decoder that nobody here wrote. */
export function decodeTile(bytes: Uint8Array): Layers {
  const { layers } = new VectorTile(new PbfReader(bytes));
  return Object.fromEntries(
    Object.entries(layers).map(([name, layer]) => [
      name,
      Array.from({ length: layer.length }, (_, index) => decoded(layer.feature(index))),
    ]),
  );
}

function decoded(feature: VectorTileFeature): DecodedFeature {
  return { properties: feature.properties, polygons: classifyRings(feature.loadGeometry()) };
}

/** Twice the area by the surveyor's formula; positive for an exterior. @see MVT 2.1, section 4.3.4.4 */
export function doubleArea(ring: readonly { readonly x: number; readonly y: number }[]): number {
  return ring.reduce((sum, { x, y }, index) => {
    const next = ring[(index + 1) % ring.length]!;
    return sum + x * next.y - next.x * y;
  }, 0);
}
