import {
  type GeoJSONSource,
  Map,
  type MapMouseEvent,
  NavigationControl,
  type PointLike,
  type RasterTileSource,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
  type VectorTileSource,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { FeatureCollection } from 'geojson';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Address } from '../address.ts';
import { texts } from '../texts.en.ts';
import { addBadges } from './badges.ts';
import { FeatureMarks, type Marks } from './feature-marks.ts';
import { CLICKABLE, FEATURES, FOOTPRINTS, IMAGERY, type MapState } from './map-state.ts';
import * as style from './map-style.ts';
import { paddingPx } from './padding.ts';
import { AREAS, CHANGE, NEIGHBOURS, OUTLINE } from './overlay-layers.ts';

setWorkerUrl(workerUrl);

type Bounds = readonly [west: number, south: number, east: number, north: number];

/** A feature under the pointer. */
export interface Hit {
  readonly id: string;
  readonly prompt: string;
  readonly areaM2: number | null;
}

/** What tiles in view say beside features. */
export interface InView {
  readonly cells: number;
  readonly leftOut: number;
}

export interface Overlays {
  readonly footprints: FeatureCollection;
  readonly areas: FeatureCollection;
  /** The selected feature. */
  readonly outline: FeatureCollection;
  readonly neighbours: FeatureCollection;
  readonly change: FeatureCollection;
}

interface Properties {
  readonly state: MapState;
  /** Style of a background map; null: none. */
  readonly basemap: StyleSpecification | null;
  readonly marks: Marks;
  readonly overlays: Overlays;
  readonly position: Address['map'];
  /** What the map shows first without a position, `[west, south, east, north]`; null: the world. */
  readonly extent: Bounds | null;
  /** Named for people who do not see it. */
  readonly label: string;
  readonly onReady: (map: Map) => void;
  readonly onMove: (position: NonNullable<Address['map']>) => void;
  readonly onHover: (id: string | null) => void;
  /** Every feature at a place, smallest first. */
  readonly onSelect: (hits: readonly Hit[], at: readonly [x: number, y: number]) => void;
  readonly onInView: (inView: InView) => void;
}

/** Owns the map: makes it once, removes it, and lets it follow the properties. */
export function MapView(properties: Properties): ReactNode {
  const { state, marks, overlays, label } = properties;
  const container = useRef<HTMLDivElement>(null);
  const latest = useRef(properties);
  latest.current = properties;
  const [map, setMap] = useState<Map | null>(null);
  const [refused, setRefused] = useState(false);
  const marker = useRef<FeatureMarks | null>(null);

  useEffect(() => {
    const made = makeMap(container.current!, latest.current);
    if (!made) {
      setRefused(true);
      return undefined;
    }
    connect(made, latest);
    made.once('load', () => {
      marker.current = new FeatureMarks(made);
      setMap(made);
      latest.current.onReady(made);
    });
    return () => {
      setMap(null);
      made.remove();
    };
  }, []);

  useStyle(map, state);
  useOverlays(map, overlays);
  useEffect(() => marker.current?.write(marks), [map, marks]);

  return (
    <div className="map" ref={container} role="region" aria-label={label}>
      {refused && <p className="notice">{texts.noWebGl}</p>}
    </div>
  );
}

function makeMap(container: HTMLElement, { state, basemap, position, extent }: Properties): Map | null {
  try {
    const map = new Map({
      container,
      style: style.mapStyle(state, basemap),
      ...(position || !extent
        ? {
            center: position ? ([position.longitude, position.latitude] as const) : ([5, 40] as const),
            zoom: position?.zoom ?? 1.2,
          }
        : {
            bounds: [...extent] as [number, number, number, number],
            fitBoundsOptions: { padding: paddingPx(), maxZoom: 20 },
          }),
      maxZoom: 23,
      pitchWithRotate: false,
      dragRotate: false,
      touchPitch: false,
      attributionControl: { compact: true },
      transformRequest: style.withCredential,
    });
    map.touchZoomRotate.disableRotation();
    map.once('styledata', () => addBadges(map));
    map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    map.addControl(new ScaleControl({}), 'bottom-left');
    return map;
  } catch {
    return null;
  }
}

type PaintName = Parameters<Map['setPaintProperty']>[1];
type LayoutName = Parameters<Map['setLayoutProperty']>[1];
type Latest = { readonly current: Properties };

function connect(map: Map, latest: Latest): void {
  map.on('moveend', () => {
    const { lng, lat } = map.getCenter();
    latest.current.onMove({ zoom: map.getZoom(), latitude: lat, longitude: lng });
  });
  // A pointer moves more often than the map is drawn.
  let pointer: PointLike | null = null;
  map.on('mousemove', ({ point }) => {
    if (pointer === null)
      requestAnimationFrame(() => {
        if (pointer !== null) latest.current.onHover(hitsAt(map, pointer)[0]?.id ?? null);
        pointer = null;
      });
    pointer = point;
  });
  map.on('mouseout', () => {
    pointer = null;
    latest.current.onHover(null);
  });
  map.on('click', ({ point }: MapMouseEvent) => latest.current.onSelect(hitsAt(map, point), [point.x, point.y]));
  map.on('idle', () => latest.current.onInView(inView(map)));
}

/** Features at a point, each once though several tiles have a part of it, smallest first. */
function hitsAt(map: Map, point: PointLike): Hit[] {
  const layers = CLICKABLE.filter((id) => map.getLayer(id));
  const hits = new globalThis.Map<string, Hit>();
  for (const { properties } of map.queryRenderedFeatures(point, { layers })) {
    const id = String(properties['id']);
    hits.set(id, { id, prompt: String(properties['prompt']), areaM2: Number(properties['areaM2']) });
  }
  return [...hits.values()].toSorted((a, b) => (a.areaM2 ?? 0) - (b.areaM2 ?? 0));
}

function inView(map: Map): InView {
  if (!map.getLayer('cell-fill')) return { cells: 0, leftOut: 0 };
  const cells = map.queryRenderedFeatures({ layers: ['cell-fill'] });
  return {
    cells: cells.reduce((sum, { properties }) => sum + Number(properties['count'] ?? 0), 0),
    leftOut: cells.reduce((sum, { properties }) => sum + Number(properties['left_out'] ?? 0), 0),
  };
}

/** Lets the layers follow the state, and the tiles follow filter and revision, without a blank frame. */
function useStyle(map: Map | null, state: MapState): void {
  const tiles = style.featureTilesUrl(state);
  useEffect(() => {
    (map?.getSource(FEATURES) as VectorTileSource | undefined)?.setTiles([tiles]);
  }, [map, tiles]);
  useEffect(() => {
    (map?.getSource(IMAGERY) as RasterTileSource | undefined)?.setTiles([style.imageryTilesUrl(null, state.revision)]);
  }, [map, state.revision]);
  useEffect(() => {
    if (!map) return;
    for (const { id } of map.getStyle().layers) {
      // The images of a comparison lie below the map.
      if (id.startsWith(style.BASEMAP_PREFIX))
        map.setLayoutProperty(id, 'visibility', state.isSwiping ? 'none' : 'visible');
    }
    for (const layer of style.layers(state)) {
      if (!map.getLayer(layer.id)) continue;
      if ('filter' in layer && layer.filter) map.setFilter(layer.id, layer.filter);
      for (const [name, value] of Object.entries(layer.paint ?? {}))
        map.setPaintProperty(layer.id, name as PaintName, value as never);
      for (const [name, value] of Object.entries(layer.layout ?? {}))
        map.setLayoutProperty(layer.id, name as LayoutName, value as never);
    }
  }, [map, state]);
}

function useOverlays(map: Map | null, { footprints, areas, outline, neighbours, change }: Overlays): void {
  useEffect(() => {
    const set = (id: string, data: FeatureCollection): void =>
      void (map?.getSource(id) as GeoJSONSource | undefined)?.setData(data);
    set(FOOTPRINTS, footprints);
    set(AREAS, areas);
    set(OUTLINE, outline);
    set(NEIGHBOURS, neighbours);
    set(CHANGE, change);
  }, [map, footprints, areas, outline, neighbours, change]);
}
