import type { FeatureCollection } from 'geojson';
import type {
  LayerSpecification,
  RequestTransformFunction,
  SourceSpecification,
  StyleSpecification,
} from 'maplibre-gl';
import { filterKey } from '../filter.ts';
import { address, service } from '../graphql.ts';
import { credential } from '../share/credential.ts';
import { cellLayer, featureLayers } from './feature-layers.ts';
import { FEATURES, FOOTPRINTS, IMAGERY, type MapState } from './map-state.ts';
import {
  AREAS,
  areaLayers,
  CHANGE,
  changeLayers,
  NEIGHBOURS,
  neighbourLayers,
  OUTLINE,
  outlineLayers,
} from './overlay-layers.ts';

/** Names of the background map's layers must not be ours. */
export const BASEMAP_PREFIX = 'basemap ';

export function featureTilesUrl({ filter, revision }: Pick<MapState, 'filter' | 'revision'>): string {
  const parameters = new URLSearchParams({ r: String(revision) });
  if (filterKey(filter) !== '{}') parameters.set('filter', filterKey(filter));
  return `${address('/tiles/features')}/{z}/{x}/{y}.mvt?${parameters.toString()}`;
}

/** @param sceneId of one image; null: all of them, the newest on top */
export function imageryTilesUrl(sceneId: string | null, revision: number): string {
  const path = sceneId === null ? '/tiles/scenes' : `/tiles/scenes/${sceneId}`;
  return `${address(path)}/{z}/{x}/{y}.webp?r=${revision}`;
}

/** Sends the credential of the tab to our own origin, and to no other. */
export const withCredential: RequestTransformFunction = (url) =>
  new URL(url, service()).origin === service().origin ? { url, headers: credential.headers() } : { url };

function sources(state: MapState): Record<string, SourceSpecification> {
  const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };
  return {
    [IMAGERY]: {
      type: 'raster',
      tiles: [imageryTilesUrl(null, state.revision)],
      tileSize: 256,
      maxzoom: 24,
    },
    [FEATURES]: { type: 'vector', tiles: [featureTilesUrl(state)], maxzoom: 22, promoteId: 'id' },
    [FOOTPRINTS]: { type: 'geojson', data: empty },
    [AREAS]: { type: 'geojson', data: empty },
    [OUTLINE]: { type: 'geojson', data: empty },
    [NEIGHBOURS]: { type: 'geojson', data: empty },
    [CHANGE]: { type: 'geojson', data: empty },
  };
}

/** Every layer of ours, from below; a function of the state alone. */
export function layers(state: MapState): LayerSpecification[] {
  const { dark, isComparing, isSwiping } = state;
  return [
    {
      id: 'background',
      type: 'background',
      paint: { 'background-color': dark ? '#12161b' : '#f5f6f8', 'background-opacity': isSwiping ? 0 : 1 },
    },
    {
      id: 'imagery',
      type: 'raster',
      source: IMAGERY,
      layout: { visibility: isSwiping ? 'none' : 'visible' },
    },
    {
      id: 'footprint',
      type: 'line',
      source: FOOTPRINTS,
      paint: { 'line-color': dark ? '#9fabb9' : '#55606e', 'line-width': 1 },
    },
    ...[cellLayer(state), ...featureLayers(state)].map(
      (layer) =>
        ({
          ...layer,
          layout: { ...layer.layout, visibility: isComparing ? 'none' : 'visible' },
        }) as LayerSpecification,
    ),
    ...areaLayers(),
    ...changeLayers(),
    ...outlineLayers(),
    ...neighbourLayers(),
  ];
}

/** @param basemap drawn below all of ours, instead of a plain background; null: none */
export function mapStyle(state: MapState, basemap: StyleSpecification | null): StyleSpecification {
  const own = layers(state);
  return {
    ...basemap,
    version: 8,
    sources: { ...basemap?.sources, ...sources(state) },
    layers: basemap ? [...basemap.layers.map(renamed), ...own.slice(1)] : own,
  };
}

const renamed = (layer: LayerSpecification): LayerSpecification => ({ ...layer, id: `${BASEMAP_PREFIX}${layer.id}` });
