import { Map } from 'maplibre-gl';
import { type ReactNode, useEffect, useRef } from 'react';
import { address } from '../graphql.ts';

interface Properties {
  readonly map: Map;
  /** Scene that is shown right of the divider. */
  readonly sceneId: string;
  readonly share: number;
  readonly onShare: (share: number) => void;
}

/** A second map over the first, of one scene, cut off left of a divider that can be moved. */
export function Swipe({ map, sceneId, share, onShare }: Properties): ReactNode {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const over = new Map({
      container: container.current!,
      interactive: false,
      attributionControl: false,
      center: map.getCenter(),
      zoom: map.getZoom(),
      style: {
        version: 8,
        sources: {
          scene: { type: 'raster', tiles: [`${address(`/tiles/scenes/${sceneId}`)}/{z}/{x}/{y}.webp`], tileSize: 256 },
        },
        layers: [{ id: 'scene', type: 'raster', source: 'scene' }],
      },
    });
    const follow = (): void => void over.jumpTo({ center: map.getCenter(), zoom: map.getZoom() });
    map.on('move', follow);
    return () => {
      map.off('move', follow);
      over.remove();
    };
  }, [map, sceneId]);
  return (
    <>
      <div
        className="swipe-map"
        ref={container}
        style={{ clipPath: `inset(0 0 0 ${share * 100}%)` }}
        aria-hidden="true"
      />
      <label className="swipe-range">
        <span className="visually-hidden">Divider between the two dates</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.01"
          value={share}
          onChange={({ target }) => onShare(Number(target.value))}
        />
      </label>
    </>
  );
}
