import { parseInstant } from '../calendar-time.ts';
import type { Condition } from '../cql2/condition.ts';
import type { Cql2, Cql2Filter } from '../cql2/expression.ts';
import { readCql2Json } from '../cql2/read-json.ts';
import { readCql2Text } from '../cql2/read-text.ts';
import { resolveCql2, type Vocabulary } from '../cql2/resolve.ts';
import { boxToWgs84, readCrs, type RequestedCrs, toWgs84 } from './crs.ts';
import { readDatetime } from './datetime.ts';
import { InvalidOgcParameterError } from './errors.ts';
import { type ItemCollection, type ItemQuery, queryablesOf } from './item-collection.ts';

/** What is asked of a list of items, and in which coordinates they are wanted. */
export interface ItemRequest {
  readonly query: ItemQuery;
  readonly crs: RequestedCrs;
}

export type Parameters = Readonly<Record<string, string>>;

/** Names of parameters of a list of items, but for those of properties. */
const ITEM_PARAMETERS = [
  ...(['f', 'limit', 'after', 'bbox', 'bbox-crs', 'crs', 'datetime'] as const),
  ...(['filter', 'filter-lang', 'filter-crs'] as const),
] as const;
export const DEFAULT_LIMIT = 10;

/** `cql-text` is what GDAL calls the part of CQL2 that it writes. */
export const FILTER_LANGUAGES = ['cql2-text', 'cql2-json', 'cql-text'] as const;

/**
 * The parameters of a request, each given once.
 * @throws {InvalidOgcParameterError} for one that is not among the known
 */
export function readParameters(query: Readonly<Record<string, unknown>>, known: readonly string[]): Parameters {
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name)) {
      throw new InvalidOgcParameterError(
        `Parameter ${JSON.stringify(name)} does not exist; the parameters are ${known.join(', ')}.`,
      );
    }
    if (typeof value !== 'string') throw new InvalidOgcParameterError(`Parameter ${name} must be given once.`);
  }
  return query as Parameters;
}

/**
 * Reads the parameters of a list of items.
 * @param maxLimit largest page; a larger `limit` means this
 * @throws {InvalidOgcParameterError} {@link InvalidCql2Error}
 * @see OGC 17-069r4, 7.15
 */
export async function readItemRequest(
  query: Readonly<Record<string, unknown>>,
  collection: ItemCollection,
  maxLimit: number,
): Promise<ItemRequest> {
  const names = collection.properties.map(({ name }) => name);
  const parameters = readParameters(query, [...ITEM_PARAMETERS, ...names]);
  const { bbox, datetime } = parameters;
  return {
    query: {
      limit: Math.min(readLimit(parameters['limit'], DEFAULT_LIMIT), maxLimit),
      after: parameters['after'] ?? null,
      place: bbox === undefined ? null : boxToWgs84(readBbox(bbox), await readCrs('bbox-crs', parameters['bbox-crs'])),
      time: datetime === undefined ? null : readDatetime(datetime),
      condition: await readCondition(parameters, collection, names),
    },
    crs: await readCrs('crs', parameters['crs']),
  };
}

/** @throws {InvalidOgcParameterError} */
export function readLimit(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const limit = Number(text);
  if (/^\d{1,15}$/.test(text) && limit >= 1) return limit;
  throw new InvalidOgcParameterError(`limit is ${JSON.stringify(text)}; it must be a whole number of at least 1.`, {
    details: { argument: 'limit', value: text, limit: 1 },
  });
}

/** @throws {InvalidOgcParameterError} */
export function readBbox(text: string): number[] {
  const parts = text.split(',');
  const numbers = parts.map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const isComplete = numbers.length === 4 || numbers.length === 6;
  const [low, high] = [numbers[1]!, numbers[numbers.length / 2 + 1]!];
  if (isComplete && numbers.every(Number.isFinite) && low <= high) return numbers;
  throw new InvalidOgcParameterError(
    `bbox is ${JSON.stringify(text.slice(0, 100))}; it must be 4 or 6 numbers, lower corner first, separated by commas.`,
    { details: { argument: 'bbox', value: text.slice(0, 100) } },
  );
}

async function readCondition(
  parameters: Parameters,
  collection: ItemCollection,
  names: readonly string[],
): Promise<Condition | null> {
  const crs = await readCrs('filter-crs', parameters['filter-crs']);
  const vocabulary: Vocabulary = { queryables: queryablesOf(collection), toWgs84: toWgs84(crs), parseInstant };
  const filter = readFilter(parameters);
  const equalities = names.flatMap((name) => {
    const value = parameters[name];
    return value === undefined ? [] : [equality(name, value, vocabulary)];
  });
  const filters = [...(filter ? [filter] : []), ...equalities];
  if (filters.length === 0) return null;
  return { all: filters.map((one) => resolveCql2(one, vocabulary)) };
}

function readFilter({ filter, 'filter-lang': language = 'cql2-text' }: Parameters): Cql2Filter | null {
  if (!FILTER_LANGUAGES.some((known) => known === language)) {
    throw new InvalidOgcParameterError(
      `filter-lang is ${JSON.stringify(language)}; it must be one of ${FILTER_LANGUAGES.join(', ')}.`,
    );
  }
  if (filter === undefined) return null;
  return language === 'cql2-json' ? readCql2Json(filter) : readCql2Text(filter);
}

/** `?name=value` @see OGC 17-069r4, 7.15.5 */
function equality(property: string, text: string, { queryables }: Vocabulary): Cql2Filter {
  const isNumber = queryables.get(property) === 'NUMBER';
  const value: Cql2 = isNumber ? Number(text) : text;
  if (isNumber && (text.trim() === '' || !Number.isFinite(value))) {
    throw new InvalidOgcParameterError(`${property} is ${JSON.stringify(text)}; it must be a number.`);
  }
  return { expression: { op: '=', args: [{ property }, value] }, placeOf: () => `parameter ${property}` };
}
