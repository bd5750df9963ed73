import { bboxPolygon } from '@turf/turf';
import type { Polygon } from 'geojson';
import type { Map } from 'maplibre-gl';
import { useCallback, useRef, useState } from 'react';

/**
 * Lets a person draw one polygon. The drawing library is loaded when it is first needed.
 * @param onDrawn called once, with the finished outline
 * @returns ends drawing
 */
async function drawPolygon(map: Map, onDrawn: (outline: Polygon) => void): Promise<() => void> {
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

/** Drawing on the map, one area at a time. */
export interface Drawing {
  readonly isOn: boolean;
  /** Ends what is being drawn and begins another. @param onDrawn called once, with the finished outline */
  readonly start: (onDrawn: (outline: Polygon) => void) => void;
  readonly stop: () => void;
}

/** @param map null until it is there: nothing is drawn then */
export function useDrawing(map: Map | null): Drawing {
  const [isOn, setIsOn] = useState(false);
  const ending = useRef<Promise<() => void> | null>(null);
  const stop = useCallback(() => {
    void ending.current?.then((end) => end());
    ending.current = null;
    setIsOn(false);
  }, []);
  const start = useCallback(
    (onDrawn: (outline: Polygon) => void) => {
      if (!map) return;
      stop();
      setIsOn(true);
      ending.current = drawPolygon(map, (outline) => {
        // The click that ends the outline is the map's too.
        setTimeout(() => setIsOn(false));
        onDrawn(outline);
      });
    },
    [map, stop],
  );
  return { isOn, start, stop };
}

/** The rectangle between two corners, wound by RFC 7946. */
export function rectangle(west: number, south: number, east: number, north: number): Polygon {
  return bboxPolygon([west, south, east, north]).geometry;
}
