/** Filters in a filter, each of another meaning. */
export interface NestedFilters<Filter> {
  readonly and?: readonly Filter[];
  readonly or?: readonly Filter[];
  readonly not?: Filter;
  /** What a neighbour has to match. */
  readonly adjacentTo?: Filter;
}
export type Connective = keyof NestedFilters<unknown>;

const CONNECTIVES = Object.keys({
  and: true,
  or: true,
  not: true,
  adjacentTo: true,
} satisfies Record<Connective, true>) as Connective[];

/** A filter and the number of filters that it stands in. */
export interface FilterLevel<Filter> {
  readonly filter: Filter;
  readonly level: number;
}

/**
 * The filter itself and every filter in it, a filter before those in it. Keeps its own stack, so that a filter of any depth
 * can be measured before anything recurses into it.
 * @param connectives through which to go down; all unless given
 */
export function* eachFilter<Filter extends NestedFilters<Filter>>(
  filter: Filter,
  connectives: readonly Connective[] = CONNECTIVES,
): Generator<FilterLevel<Filter>> {
  const pending: FilterLevel<Filter>[] = [{ filter, level: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    yield next;
    const { level } = next;
    const below = connectives.flatMap((connective) => nestedIn(next.filter, connective));
    for (const one of below.toReversed()) pending.push({ filter: one, level: level + 1 });
  }
}

/** What becomes of the filters directly in a filter, under their connectives; those that are absent stay absent. */
export function mapNested<Filter extends NestedFilters<Filter>, Result>(
  { and, or, not, adjacentTo }: Filter,
  map: (filter: Filter, connective: Connective) => Result,
): NestedFilters<Result> {
  return {
    ...(and && { and: and.map((one) => map(one, 'and')) }),
    ...(or && { or: or.map((one) => map(one, 'or')) }),
    ...(not && { not: map(not, 'not') }),
    ...(adjacentTo && { adjacentTo: map(adjacentTo, 'adjacentTo') }),
  };
}

/**
 * The filter and every filter in it changed, a filter before those in it.
 * @param connectives through which to go down; all unless given
 */
export function mapFilters<Filter extends NestedFilters<Filter>>(
  filter: Filter,
  change: (filter: Filter) => Filter,
  connectives: readonly Connective[] = CONNECTIVES,
): Filter {
  const changed = change(filter);
  const nested = mapNested(changed, (one, connective) =>
    connectives.includes(connective) ? mapFilters(one, change, connectives) : one,
  );
  return { ...changed, ...nested };
}

function nestedIn<Filter extends NestedFilters<Filter>>(filter: Filter, connective: Connective): readonly Filter[] {
  const nested = filter[connective] as Filter | readonly Filter[] | null | undefined;
  if (!nested) return [];
  return Array.isArray(nested) ? (nested as readonly Filter[]) : [nested as Filter];
}
