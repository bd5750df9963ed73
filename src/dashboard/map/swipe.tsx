import { Map } from 'maplibre-gl';
import { type ReactNode, useEffect, useRef } from 'react';
import { texts } from '../texts.en.ts';
import { imageryTilesUrl, withCredential } from './map-style.ts';

interface Side {
  readonly sceneId: string;
  readonly name: string;
}

interface Properties {
  /** Lies above, without images of its own. */
  readonly map: Map;
  readonly earlier: Side;
  readonly later: Side;
  /** Share of the map left of the divider. */
  readonly share: number;
  readonly onShare: (share: number) => void;
}

/** Images of two dates below the map, one on each side of a divider that can be moved. */
export function Swipe({ map, earlier, later, share, onShare }: Properties): ReactNode {
  return (
    <>
      <Underlay map={map} sceneId={earlier.sceneId} clip={`inset(0 ${(1 - share) * 100}% 0 0)`} />
      <Underlay map={map} sceneId={later.sceneId} clip={`inset(0 0 0 ${share * 100}%)`} />
      <div className="divider" style={{ insetInlineStart: `${share * 100}%` }} aria-hidden="true" />
      <p className="swipe-names">
        <span>{texts.earlier(earlier.name)}</span>
        <span>{texts.later(later.name)}</span>
      </p>
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

/** One image that follows the map above it. */
function Underlay({ map, sceneId, clip }: { map: Map; sceneId: string; clip: string }): ReactNode {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const below = new Map({
      container: container.current!,
      interactive: false,
      attributionControl: false,
      center: map.getCenter(),
      zoom: map.getZoom(),
      maxZoom: map.getMaxZoom(),
      transformRequest: withCredential,
      style: {
        version: 8,
        sources: { scene: { type: 'raster', tiles: [imageryTilesUrl(sceneId, 0)], tileSize: 256 } },
        layers: [{ id: 'scene', type: 'raster', source: 'scene' }],
      },
    });
    const follow = (): void => void below.jumpTo({ center: map.getCenter(), zoom: map.getZoom() });
    map.on('move', follow);
    return () => {
      map.off('move', follow);
      below.remove();
    };
  }, [map, sceneId]);
  return <div className="underlay" ref={container} style={{ clipPath: clip }} aria-hidden="true" />;
}
