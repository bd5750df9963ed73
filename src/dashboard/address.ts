import type { FeatureFilter, FeatureOrder, FeatureSortKey } from './generated/graphql.ts';
import { filterKey, pruned } from './filter.ts';

export const PANELS = ['ask', 'filter', 'list', 'feature', 'review', 'share'] as const;
export type Panel = (typeof PANELS)[number];
export const COLOURINGS = ['prompt', 'certainty', 'review'] as const;
export type Colouring = (typeof COLOURINGS)[number];

const SORT_KEYS: readonly FeatureSortKey[] = [
  'AREA',
  'PERIMETER',
  'PROBABILITY',
  'MAX_PROBABILITY',
  'COMPACTNESS',
  'ELONGATION',
  'DISTANCE',
  'NEIGHBOURS',
  'CREATED',
];

/** Everything that is on screen and worth sharing: the address of the page holds it. */
export interface Address {
  readonly map: { readonly zoom: number; readonly latitude: number; readonly longitude: number } | null;
  readonly filter: FeatureFilter;
  /** Slug of a saved view; its filter stands in place of `filter`. */
  readonly view: string | null;
  readonly order: FeatureOrder;
  /** Questions by colour slot. */
  readonly prompts: readonly string[];
  /** Letters of slots that the map leaves out. */
  readonly hidden: readonly string[];
  readonly feature: string | null;
  readonly run: string | null;
  readonly panel: Panel;
  /** Segmentations that are compared. */
  readonly change: readonly [from: string, to: string] | null;
  /** Share of the map left of the divider; null without one. */
  readonly swipe: number | null;
  readonly colouring: Colouring;
  readonly opacity: number;
}

export const EMPTY_ADDRESS: Address = {
  map: null,
  filter: {},
  view: null,
  order: { by: 'AREA', direction: 'DESC' },
  prompts: [],
  hidden: [],
  feature: null,
  run: null,
  panel: 'ask',
  change: null,
  swipe: null,
  colouring: 'prompt',
  opacity: 1,
};

/** Longest query of an address that programs pass on whole. */
export const MAX_ADDRESS = 8000;

/** An address and the names of its parameters that could not be read, which have their defaults. */
export interface ReadAddress {
  readonly address: Address;
  readonly unknown: readonly string[];
}

/** Reads the query of an address; what it does not understand has its default. */
export function readAddress(search: string): ReadAddress {
  const parameters = new URLSearchParams(search);
  const unknown: string[] = [];
  const read = <Value>(name: string, parse: (text: string) => Value | undefined, fallback: Value): Value => {
    const text = parameters.get(name);
    if (text === null) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    unknown.push(name);
    return fallback;
  };
  const address: Address = {
    map: read('map', parseMap, EMPTY_ADDRESS.map),
    filter: read('filter', parseFilter, EMPTY_ADDRESS.filter),
    view: read('view', (text) => (/^[a-z0-9-]+$/.test(text) ? text : undefined), null),
    order: read('order', parseOrder, EMPTY_ADDRESS.order),
    prompts: parameters.getAll('q'),
    hidden: read('hide', (text) => (/^[A-L](,[A-L])*$/.test(text) ? text.split(',') : undefined), []),
    feature: read('f', parseIdentifier, null),
    run: read('run', parseIdentifier, null),
    panel: read('panel', oneOf(PANELS), EMPTY_ADDRESS.panel),
    change: read('change', parsePair, null),
    swipe: read('swipe', parseShare, null),
    colouring: read('colour', oneOf(COLOURINGS), EMPTY_ADDRESS.colouring),
    opacity: read('opacity', parseShare, EMPTY_ADDRESS.opacity),
  };
  return { address, unknown };
}

/** The query that {@link readAddress} reads, with `?` where there is one; defaults are left out. */
export function formatAddress(address: Address): string {
  const { map, filter, view, order, prompts, hidden, feature, run, panel, change, swipe, colouring, opacity } = address;
  const parameters = new URLSearchParams();
  const add = (name: string, text: string | null): void => {
    if (text !== null) parameters.append(name, text);
  };
  add('map', map && [map.zoom.toFixed(2), map.latitude.toFixed(6), map.longitude.toFixed(6)].join('/'));
  add('filter', Object.keys(pruned(filter)).length > 0 ? filterKey(filter) : null);
  add('view', view);
  const { by, direction } = order;
  const isDefault = by === EMPTY_ADDRESS.order.by && direction === EMPTY_ADDRESS.order.direction;
  add('order', isDefault ? null : `${by}.${direction}`);
  for (const prompt of prompts) add('q', prompt);
  add('hide', hidden.length > 0 ? hidden.join(',') : null);
  add('f', feature);
  add('run', run);
  add('panel', panel === EMPTY_ADDRESS.panel ? null : panel);
  add('change', change && change.join(','));
  add('swipe', swipe === null ? null : String(swipe));
  add('colour', colouring === EMPTY_ADDRESS.colouring ? null : colouring);
  add('opacity', opacity === EMPTY_ADDRESS.opacity ? null : String(opacity));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** Whether going from one address to another is a step that Back undoes, rather than a refinement of the same step. */
export function isStep(from: Address, to: Address): boolean {
  return (
    filterKey(from.filter) !== filterKey(to.filter) ||
    from.view !== to.view ||
    from.panel !== to.panel ||
    from.change?.join() !== to.change?.join()
  );
}

function parseMap(text: string): Address['map'] | undefined {
  const [zoom, latitude, longitude, ...more] = text.split('/').map(Number);
  const inRange = (value: number | undefined, low: number, high: number): value is number =>
    value !== undefined && value >= low && value <= high;
  if (more.length > 0 || !inRange(zoom, 0, 24) || !inRange(latitude, -90, 90) || !inRange(longitude, -180, 180)) {
    return undefined;
  }
  return { zoom, latitude, longitude };
}

function parseFilter(text: string): FeatureFilter | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseOrder(text: string): FeatureOrder | undefined {
  const [by, direction] = text.split('.');
  const key = SORT_KEYS.find((known) => known === by);
  return key && (direction === 'ASC' || direction === 'DESC') ? { by: key, direction } : undefined;
}

const IDENTIFIER = /^[0-9a-f-]{36}$/i;
const parseIdentifier = (text: string): string | undefined => (IDENTIFIER.test(text) ? text : undefined);

function parsePair(text: string): Address['change'] | undefined {
  const [from, to, ...more] = text.split(',');
  return from && to && more.length === 0 && IDENTIFIER.test(from) && IDENTIFIER.test(to) ? [from, to] : undefined;
}

function parseShare(text: string): number | undefined {
  const value = text === '' ? NaN : Number(text);
  return value >= 0 && value <= 1 ? value : undefined;
}

function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value | undefined {
  return (text) => values.find((value) => value === text);
}
