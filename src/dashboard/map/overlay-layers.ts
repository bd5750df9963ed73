import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import { CASING, CHANGE_COLOURS, SELECTED } from '../palette.ts';
import { changeBadge } from './badges.ts';

/** Sources of what lies over the features. */
export const AREAS = 'areas';
export const OUTLINE = 'outline';
export const NEIGHBOURS = 'neighbours';
export const CHANGE = 'change';

const kind: ExpressionSpecification = ['get', 'kind'];

/** What changed between two answers: solid and “+” for what appeared, dashed and “−” for what vanished. */
export function changeLayers(): LayerSpecification[] {
  const colour: ExpressionSpecification = [
    'match',
    kind,
    'appeared',
    CHANGE_COLOURS.appeared,
    'vanished',
    CHANGE_COLOURS.vanished,
    CHANGE_COLOURS.stayed,
  ];
  const line = { type: 'line', source: CHANGE } as const;
  return [
    {
      id: 'change-fill',
      type: 'fill',
      source: CHANGE,
      paint: { 'fill-color': colour, 'fill-opacity': ['match', kind, 'stayed', 0.05, 0.3] },
    },
    { ...line, id: 'change-casing', paint: { 'line-color': CASING, 'line-width': 5 } },
    {
      ...line,
      id: 'change-line',
      filter: ['!=', kind, 'vanished'],
      paint: { 'line-color': colour, 'line-width': ['match', kind, 'stayed', 1.5, 3] },
    },
    {
      ...line,
      id: 'change-line-vanished',
      filter: ['==', kind, 'vanished'],
      paint: { 'line-color': CHANGE_COLOURS.vanished, 'line-width': 3, 'line-dasharray': [2, 1.5] },
    },
    {
      id: 'change-badge',
      type: 'symbol',
      source: CHANGE,
      filter: ['!=', kind, 'stayed'],
      layout: {
        'icon-image': ['match', kind, 'appeared', changeBadge('appeared'), changeBadge('vanished')],
        'icon-padding': 6,
      },
    },
  ];
}

/** The selected feature, over all others. */
export function outlineLayers(): LayerSpecification[] {
  const line = { type: 'line', source: OUTLINE } as const;
  return [
    { ...line, id: 'outline-casing', paint: { 'line-color': CASING, 'line-width': 6 } },
    { ...line, id: 'outline-line', paint: { 'line-color': SELECTED, 'line-width': 3 } },
  ];
}

/** Borders of the selected feature with its neighbours, and the gaps to those that it does not touch. */
export function neighbourLayers(): LayerSpecification[] {
  const line = { type: 'line', source: NEIGHBOURS } as const;
  return [
    {
      ...line,
      id: 'border-casing',
      filter: ['==', kind, 'border'],
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': CASING, 'line-width': 9 },
    },
    {
      ...line,
      id: 'border-line',
      filter: ['==', kind, 'border'],
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': SELECTED, 'line-width': 5 },
    },
    {
      ...line,
      id: 'gap-casing',
      filter: ['==', kind, 'gap'],
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': CASING, 'line-width': 5 },
    },
    {
      ...line,
      id: 'gap-line',
      filter: ['==', kind, 'gap'],
      paint: { 'line-color': SELECTED, 'line-width': 2, 'line-dasharray': [3, 2] },
    },
  ];
}

/** Areas that limit the filter or a question. */
export function areaLayers(): LayerSpecification[] {
  return [
    { id: 'area-fill', type: 'fill', source: AREAS, paint: { 'fill-color': SELECTED, 'fill-opacity': 0.08 } },
    { id: 'area-casing', type: 'line', source: AREAS, paint: { 'line-color': CASING, 'line-width': 4 } },
    {
      id: 'area-line',
      type: 'line',
      source: AREAS,
      paint: { 'line-color': SELECTED, 'line-width': 2, 'line-dasharray': [4, 3] },
    },
  ];
}
