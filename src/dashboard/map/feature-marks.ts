import type { Map } from 'maplibre-gl';
import type { ReviewStatus } from '../generated/graphql.ts';
import { FEATURES } from './map-state.ts';

/** What the map marks of single features, by the GraphQL identifier. */
export interface Marks {
  readonly selected: string | null;
  readonly hover: string | null;
  /** Reviews that tiles may not have yet. */
  readonly reviews: ReadonlyMap<string, ReviewStatus>;
}

type State = Readonly<Record<string, unknown>>;

/** The state of each marked feature. */
export function statesOf({ selected, hover, reviews }: Marks): ReadonlyMap<string, State> {
  const states = new globalThis.Map<string, Record<string, unknown>>();
  const of = (id: string): Record<string, unknown> => {
    const known = states.get(id) ?? {};
    states.set(id, known);
    return known;
  };
  if (hover !== null) of(hover)['hover'] = true;
  if (selected !== null) of(selected)['selected'] = true;
  for (const [id, status] of reviews) of(id)['review'] = status;
  return states;
}

/** Writes marks to a map: only what changed since the last call. */
export class FeatureMarks {
  private written: ReadonlyMap<string, State> = new globalThis.Map();

  constructor(private readonly map: Map) {}

  write(marks: Marks): void {
    const wanted = statesOf(marks);
    if (!this.map.getSource(FEATURES)) return;
    for (const id of this.written.keys()) {
      if (!wanted.has(id)) this.map.removeFeatureState(target(id));
    }
    for (const [id, state] of wanted) {
      const before = this.written.get(id);
      if (before && same(before, state)) continue;
      if (before) this.map.removeFeatureState(target(id));
      this.map.setFeatureState(target(id), state);
    }
    this.written = wanted;
  }
}

const target = (id: string) => ({ source: FEATURES, sourceLayer: 'features', id });
const same = (a: State, b: State): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((key) => a[key] === b[key]);
