const POLYGON = 3;
const POSITION_BYTES = 16;

/**
 * Where the positions of a polygon or a multipolygon stand in its well-known binary, each two doubles.
 * @param wkb little-endian and two-dimensional
 * @see OGC 06-103r4, clause 8
 */
export function* positionOffsets(wkb: Buffer): Generator<number> {
  const isPolygon = wkb.readUInt32LE(1) === POLYGON;
  let at = isPolygon ? 0 : 9;
  for (let parts = isPolygon ? 1 : wkb.readUInt32LE(5); parts > 0; parts--) {
    const rings = wkb.readUInt32LE(at + 5);
    at += 9;
    for (let ring = 0; ring < rings; ring++) {
      const positions = wkb.readUInt32LE(at);
      at += 4;
      for (let position = 0; position < positions; position++, at += POSITION_BYTES) yield at;
    }
  }
}
