/** WGS 84 ellipsoid: semi-major axis in metres and first eccentricity squared (EPSG:7030). */
const SEMI_MAJOR_M = 6_378_137;
const ECCENTRICITY_2 = 0.006_694_379_990_141_3;

/**
 * Ground area of one pixel on the WGS 84 ellipsoid, computed in the tangent plane at its centre. The relative error is
 * about 1e-6 for pixels under one kilometre.
 * @param toWgs84 scene frame to `[longitude, latitude]`, degrees
 * @returns square metres
 */
export function pixelAreaM2(
  toWgs84: (column: number, row: number) => readonly [number, number],
  column: number,
  row: number,
): number {
  const radians = Math.PI / 180;
  const latitude = toWgs84(column + 0.5, row + 0.5)[1] * radians;
  const w2 = 1 - ECCENTRICITY_2 * Math.sin(latitude) ** 2;
  const metresPerRadianNorth = (SEMI_MAJOR_M * (1 - ECCENTRICITY_2)) / w2 ** 1.5;
  const metresPerRadianEast = (SEMI_MAJOR_M / Math.sqrt(w2)) * Math.cos(latitude);
  const origin = toWgs84(column, row);
  const offset = (c: number, r: number): [number, number] => {
    const [longitude, lat] = toWgs84(c, r);
    const eastDegrees = ((longitude - origin[0] + 540) % 360) - 180;
    return [eastDegrees * radians * metresPerRadianEast, (lat - origin[1]) * radians * metresPerRadianNorth];
  };
  const across = offset(column + 1, row);
  const opposite = offset(column + 1, row + 1);
  const down = offset(column, row + 1);
  const cross = (a: [number, number], b: [number, number]): number => a[0] * b[1] - a[1] * b[0];
  return Math.abs(cross(across, opposite) + cross(opposite, down)) / 2;
}
