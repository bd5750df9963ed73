/**
 * Small questions about WKT 2 as GDAL writes it: one line, upper-case keywords, quotes doubled inside quotes.
 * @see OGC 18-010r11, clause 6
 */

/** The keyword at the root, such as `PROJCRS`. */
export function rootKeyword(wkt: string): string {
  return wkt.slice(0, wkt.indexOf('['));
}

/** `EPSG:26914` where the root has an identifier; null otherwise. */
export function rootIdentifier(wkt: string): string | null {
  const own = children(wkt).findLast((child) => child.startsWith('ID['));
  const parts = /^ID\["([^"]+)",(?:"([^"]+)"|(\d+))/.exec(own ?? '');
  return parts ? `${parts[1]}:${parts[2] ?? parts[3]}` : null;
}

/** The horizontal part of a compound system; any other system as it is. An image has no height axis. */
export function horizontalWkt(wkt: string): string {
  return rootKeyword(wkt) === 'COMPOUNDCRS' ? horizontalWkt(children(wkt)[1]!) : wkt;
}

/**
 * The system under a name that fits its axes. GDAL takes the two systems named `… (N,E)` (Universal Polar Stereographic) for
 * ones with northings first whatever their axes are, and gives ESRI's `UPS_South`, eastings first, the same name.
 */
export function namedByAxes(wkt: string): string {
  const eastingsFirst = /\bCS\[Cartesian,2\],AXIS\["(?:easting )?\(E\)"/.test(wkt);
  return eastingsFirst ? wkt.replace(/^(PROJCRS\["[^"]*) \(N,E\)"/, '$1"') : wkt;
}

/** `[west, south, east, north]` of the root's usage in degrees; west > east crosses the antimeridian. Null if unsaid. */
export function areaOfUse(wkt: string): [number, number, number, number] | null {
  const usage = children(wkt).find((child) => child.startsWith('USAGE['));
  const numbers = /BBOX\[([^\]]+)\]/
    .exec(usage ?? '')?.[1]
    ?.split(',')
    .map(Number);
  if (numbers?.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [south, west, north, east] = numbers as [number, number, number, number];
  return [west, south, east, north];
}

/**
 * Whether positions in the order of the registry begin with north or latitude.
 * @see OGC 18-010r11, clause 7.5: the axes stand in their order
 */
export function isNorthFirst(wkt: string): boolean {
  const first = /AXIS\["([^"]*)",\s*(\w+)/.exec(wkt);
  return first !== null && /^(?:geodetic latitude|latitude|northing)\b/i.test(first[1]!);
}

/** What stands between the root's brackets, split at its own commas. */
function children(wkt: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let begin = 0;
  for (let at = 0; at < wkt.length; at++) {
    const character = wkt[at]!;
    if (character === '"') quoted = !quoted;
    if (quoted) continue;
    if (character === '[' && ++depth === 1) begin = at + 1;
    if ((character === ',' && depth === 1) || (character === ']' && --depth === 0)) {
      parts.push(wkt.slice(begin, at));
      begin = at + 1;
    }
  }
  return parts;
}
