import type {
  ExpressionSpecification,
  FillLayerSpecification,
  FilterSpecification,
  LineLayerSpecification,
  SymbolLayerSpecification,
} from 'maplibre-gl';
import { CASING, CERTAINTY, REST, REVIEW_COLOURS, SELECTED, SLOTS } from '../palette.ts';
import { ACCEPTED_BADGE, letterBadge, NO_BADGE } from './badges.ts';
import { FEATURES, type MapState } from './map-state.ts';

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

/** Place of a question in the legend; behind all of them where it has none. */
const legendRank = (prompts: readonly string[]): ExpressionSpecification | number => {
  const known = prompts.slice(0, SLOTS.length);
  if (known.length === 0) return 0;
  return [
    'match',
    ['get', 'prompt'],
    ...known.flatMap((prompt, index) => [prompt, index]),
    SLOTS.length,
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

/** Squares that count what is too small to draw. */
export function cellLayer({ opacity }: Pick<MapState, 'opacity'>): FillLayerSpecification {
  return {
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
  };
}

type FeatureLayer = FillLayerSpecification | LineLayerSpecification | SymbolLayerSpecification;

/** Features: fill, outline over a casing, and badges; the legend's first question lies on top. */
export function featureLayers(state: MapState): FeatureLayer[] {
  const { opacity, colouring, prompts } = state;
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
  const rank = legendRank(prompts);
  const drawingOrder: ExpressionSpecification = ['-', 0, rank];
  const unlessRejected = ['case', isRejected, ['case', isSelected, opacity, 0], opacity] as ExpressionSpecification;
  const line = { source: FEATURES, 'source-layer': 'features', type: 'line' } as const;
  return [
    {
      id: 'feature-fill',
      type: 'fill',
      source: FEATURES,
      'source-layer': 'features',
      filter: visible,
      layout: { 'fill-sort-key': drawingOrder },
      paint: {
        'fill-color': colour,
        'fill-opacity': ['*', opacity, ['case', isRejected, 0, isHovered, fillOpacity + 0.12, fillOpacity]],
      },
    },
    {
      ...line,
      id: 'feature-casing',
      filter: visible,
      layout: { 'line-sort-key': drawingOrder },
      paint: { 'line-color': CASING, 'line-width': width(4, 5, 6), 'line-opacity': opacity },
    },
    {
      ...line,
      id: 'feature-line',
      filter: ['all', visible, ['!', dashedPrompts(prompts)]] as FilterSpecification,
      layout: { 'line-sort-key': drawingOrder },
      paint: {
        'line-color': ['case', isSelected, SELECTED, colouring === 'certainty' ? SELECTED : colour],
        'line-width': width(2, 3, 3),
        'line-opacity': unlessRejected,
      },
    },
    {
      ...line,
      id: 'feature-line-dashed',
      filter: ['all', visible, dashedPrompts(prompts)] as FilterSpecification,
      layout: { 'line-sort-key': drawingOrder },
      paint: {
        'line-color': ['case', isSelected, SELECTED, colouring === 'certainty' ? SELECTED : colour],
        'line-width': width(2, 3, 3),
        'line-dasharray': [3, 2],
        'line-opacity': unlessRejected,
      },
    },
    {
      ...line,
      id: 'feature-line-rejected',
      filter: visible,
      paint: {
        'line-color': REST,
        'line-width': width(1.5, 2.5, 3),
        'line-dasharray': [2, 2],
        'line-opacity': ['case', isRejected, ['case', isSelected, 0, opacity], 0],
      },
    },
    {
      id: 'feature-badge',
      type: 'symbol',
      source: FEATURES,
      'source-layer': 'features',
      filter: colouring === 'prompt' ? visible : ['boolean', false],
      layout: { 'icon-image': slotBadge(prompts), 'icon-padding': 12, 'symbol-sort-key': rank },
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
  ];
}
