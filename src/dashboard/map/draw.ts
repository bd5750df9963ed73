import { bboxPolygon } from '@turf/turf';
import type { Polygon } from 'geojson';
import type { Map } from 'maplibre-gl';

/**
 * Lets a person draw one polygon. The drawing library is loaded when it is first needed.
 * @param onDrawn called once, with the finished outline
 * @returns ends drawing
 */
export async function drawPolygon(map: Map, onDrawn: (outline: Polygon) => void): Promise<() => void> {
  const [{ TerraDraw, TerraDrawPolygonMode }, { TerraDrawMapLibreGLAdapter }] = await Promise.all([
    import('terra-draw'),
    import('terra-draw-maplibre-gl-adapter'),
  ]);
  const draw = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map }), modes: [new TerraDrawPolygonMode()] });
  const stop = (): void => {
    if (draw.enabled) draw.stop();
  };
  draw.start();
  draw.setMode('polygon');
  draw.on('finish', (id) => {
    const drawn = draw.getSnapshotFeature(id)?.geometry;
    stop();
    if (drawn?.type === 'Polygon') onDrawn(drawn as Polygon);
  });
  return stop;
}

/** The rectangle between two corners, wound by RFC 7946. */
export function rectangle(west: number, south: number, east: number, north: number): Polygon {
  return bboxPolygon([west, south, east, north]).geometry;
}
