import { resolveCrs } from '../src/imagery/crs/crs.ts';

/** A projection in both directions between longitude and latitude in WGS 84 and its own plane. */
export interface Projection {
  readonly forward: (lonLat: readonly [number, number]) => [number, number];
  readonly inverse: (xy: readonly [number, number]) => [number, number];
}

/** The projection of a PROJ string. */
export async function projection(definition: string): Promise<Projection> {
  const crs = await resolveCrs(definition);
  return { forward: (lonLat) => crs.fromWgs84(lonLat), inverse: (xy) => crs.toWgs84(xy) };
}
