import type { FeatureCollection } from 'geojson';
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
} from 'maplibre-gl';
import type { Colouring } from '../address.ts';
import { filterKey } from '../filter.ts';
import type { FeatureFilter } from '../generated/graphql.ts';
import { address } from '../graphql.ts';
import { ACCEPTED_BADGE, letterBadge, NO_BADGE } from './badges.ts';
import { CASING, CERTAINTY, CHANGE_COLOURS, REST, REVIEW_COLOURS, SELECTED, SLOTS } from '../palette.ts';

/** What the map shows, from which its style follows. */
export interface MapState {
  readonly filter: FeatureFilter;
  /** Rises whenever what is stored may have changed, so that tiles are asked for again. */
  readonly revision: number;
  readonly prompts: readonly string[];
  readonly hidden: readonly string[];
  readonly colouring: Colouring;
  readonly opacity: number;
  readonly dark: boolean;
}

export const FEATURES = 'features';
export const IMAGERY = 'imagery';
export const FOOTPRINTS = 'footprints';
export const NEIGHBOURS = 'neighbours';
export const CHANGE = 'change';
/** Layers that answer a click. */
export const CLICKABLE = ['feature-fill'] as const;

export function featureTilesUrl({ filter, revision }: Pick<MapState, 'filter' | 'revision'>): string {
  const parameters = new URLSearchParams({ r: String(revision) });
  if (filterKey(filter) !== '{}') parameters.set('filter', filterKey(filter));
  return `${address('/tiles/features')}/{z}/{x}/{y}.mvt?${parameters.toString()}`;
}

function sources(state: MapState): Record<string, SourceSpecification> {
  const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };
  return {
    [IMAGERY]: {
      type: 'raster',
      tiles: [`${address('/tiles/scenes')}/{z}/{x}/{y}.webp?r=${state.revision}`],
      tileSize: 256,
      maxzoom: 24,
    },
    [FEATURES]: { type: 'vector', tiles: [featureTilesUrl(state)], maxzoom: 22, promoteId: 'id' },
    [FOOTPRINTS]: { type: 'geojson', data: empty },
    [NEIGHBOURS]: { type: 'geojson', data: empty },
    [CHANGE]: { type: 'geojson', data: empty },
  };
}

const slotColour = (prompts: readonly string[]): ExpressionSpecification | string => {
  const known = prompts.slice(0, SLOTS.length);
  if (known.length === 0) return REST;
  return [
    'match',
    ['get', 'prompt'],
    ...known.flatMap((prompt, index) => [prompt, SLOTS[index]!.bright]),
    REST,
  ] as unknown as ExpressionSpecification;
};

/** The letter of a question; nothing for those beyond the slots. */
const slotBadge = (prompts: readonly string[]): ExpressionSpecification | string => {
  const known = prompts.slice(0, SLOTS.length);
  if (known.length === 0) return NO_BADGE;
  return [
    'match',
    ['get', 'prompt'],
    ...known.flatMap((prompt, index) => [prompt, letterBadge(SLOTS[index]!.letter)]),
    NO_BADGE,
  ] as unknown as ExpressionSpecification;
};

/** Where a review is newer than the tile, it is in the feature's state. */
const REVIEW_STATUS: ExpressionSpecification = [
  'coalesce',
  ['feature-state', 'review'],
  ['get', 'review'],
  'UNREVIEWED',
];
const isRejected: ExpressionSpecification = ['==', REVIEW_STATUS, 'REJECTED'];
const REVIEWED_AS_ACCEPTED: ExpressionSpecification = ['==', REVIEW_STATUS, 'ACCEPTED'];
const isSelected: ExpressionSpecification = ['boolean', ['feature-state', 'selected'], false];
const isHovered: ExpressionSpecification = ['boolean', ['feature-state', 'hover'], false];

function featureColour({
  colouring,
  prompts,
}: Pick<MapState, 'colouring' | 'prompts'>): ExpressionSpecification | string {
  if (colouring === 'certainty') {
    const [[, first], ...steps] = CERTAINTY as readonly [readonly [number, string], ...(readonly [number, string])[]];
    return ['step', ['get', 'meanProbability'], first, ...steps.flat()] as unknown as ExpressionSpecification;
  }
  if (colouring === 'review') {
    return [
      'match',
      REVIEW_STATUS,
      'ACCEPTED',
      REVIEW_COLOURS.ACCEPTED,
      'REJECTED',
      REVIEW_COLOURS.REJECTED,
      REVIEW_COLOURS.UNREVIEWED,
    ];
  }
  return slotColour(prompts);
}

/** Leaves out the questions whose eye is closed. */
function visiblePrompts({ prompts, hidden }: Pick<MapState, 'prompts' | 'hidden'>): FilterSpecification {
  const names = hidden.flatMap((letter) => {
    const prompt = prompts[SLOTS.findIndex((slot) => slot.letter === letter)];
    return prompt === undefined ? [] : [prompt];
  });
  return ['!', ['in', ['get', 'prompt'], ['literal', names]]];
}

/** Prompts of the slots that repeat a colour are dashed. */
function dashedPrompts(prompts: readonly string[]): ExpressionSpecification {
  const names = prompts.filter((_, index) => SLOTS[index]?.dashed);
  return ['in', ['get', 'prompt'], ['literal', names]];
}

export function layers(state: MapState): LayerSpecification[] {
  const { dark, opacity, colouring, prompts } = state;
  const colour = featureColour(state);
  const fillOpacity = colouring === 'certainty' ? 0.7 : 0.18;
  const visible = visiblePrompts(state);
  const width = (usual: number, hovered: number, selected: number): ExpressionSpecification => [
    'case',
    isSelected,
    selected,
    isHovered,
    hovered,
    usual,
  ];
  const line = { source: FEATURES, 'source-layer': 'features', type: 'line' } as const;
  return [
    { id: 'background', type: 'background', paint: { 'background-color': dark ? '#12161b' : '#f5f6f8' } },
    { id: 'imagery', type: 'raster', source: IMAGERY },
    {
      id: 'footprint',
      type: 'line',
      source: FOOTPRINTS,
      paint: { 'line-color': dark ? '#9fabb9' : '#55606e', 'line-width': 1 },
    },
    {
      id: 'cell-fill',
      type: 'fill',
      source: FEATURES,
      'source-layer': 'cells',
      paint: {
        'fill-color': REST,
        'fill-opacity': [
          '*',
          opacity,
          ['interpolate', ['linear'], ['log10', ['+', 1, ['get', 'count']]], 0, 0.15, 3, 0.75],
        ],
      },
    },
    {
      id: 'feature-fill',
      type: 'fill',
      source: FEATURES,
      'source-layer': 'features',
      filter: visible,
      paint: {
        'fill-color': colour,
        'fill-opacity': ['*', opacity, ['case', isRejected, 0, isHovered, fillOpacity + 0.12, fillOpacity]],
      },
    },
    {
      ...line,
      id: 'feature-casing',
      filter: visible,
      paint: { 'line-color': CASING, 'line-width': width(4, 5, 6), 'line-opacity': opacity },
    },
    {
      ...line,
      id: 'feature-line',
      filter: ['all', visible, ['!', dashedPrompts(prompts)]] as FilterSpecification,
      paint: {
        'line-color': ['case', isSelected, SELECTED, isRejected, REST, colouring === 'certainty' ? SELECTED : colour],
        'line-width': width(2, 3, 3),
        'line-opacity': opacity,
      },
    },
    {
      ...line,
      id: 'feature-line-dashed',
      filter: ['all', visible, dashedPrompts(prompts)] as FilterSpecification,
      paint: {
        'line-color': ['case', isSelected, SELECTED, isRejected, REST, colour],
        'line-width': width(2, 3, 3),
        'line-dasharray': [3, 2],
        'line-opacity': opacity,
      },
    },
    {
      id: 'feature-badge',
      type: 'symbol',
      source: FEATURES,
      'source-layer': 'features',
      filter: colouring === 'prompt' ? visible : ['boolean', false],
      layout: { 'icon-image': slotBadge(prompts), 'icon-padding': 12 },
      paint: { 'icon-opacity': ['case', isRejected, 0, REVIEWED_AS_ACCEPTED, 0, 1] },
    },
    {
      id: 'accepted-badge',
      type: 'symbol',
      source: FEATURES,
      'source-layer': 'features',
      filter: visible,
      layout: { 'icon-image': ACCEPTED_BADGE, 'icon-allow-overlap': true, 'icon-ignore-placement': true },
      paint: { 'icon-opacity': ['case', REVIEWED_AS_ACCEPTED, 1, 0] },
    },
    {
      id: 'change-line',
      type: 'line',
      source: CHANGE,
      paint: {
        'line-color': [
          'match',
          ['get', 'kind'],
          'appeared',
          CHANGE_COLOURS.appeared,
          'vanished',
          CHANGE_COLOURS.vanished,
          CHANGE_COLOURS.stayed,
        ],
        'line-width': 3,
      },
    },
    {
      id: 'neighbour-line',
      type: 'line',
      source: NEIGHBOURS,
      paint: { 'line-color': SELECTED, 'line-width': 1.5, 'line-dasharray': [2, 2] },
    },
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

/** Names of the background map's layers must not be ours. */
const renamed = (layer: LayerSpecification): LayerSpecification => ({ ...layer, id: `basemap ${layer.id}` });
