import { z } from 'zod';
import { parseInstant } from '../calendar-time.ts';
import type { Condition } from '../cql2/condition.ts';
import type { Cql2Filter } from '../cql2/expression.ts';
import { readCql2Json } from '../cql2/read-json.ts';
import { readCql2Text } from '../cql2/read-text.ts';
import { type QueryableKind, resolveCql2 } from '../cql2/resolve.ts';
import { repairable } from '../geojson-crossings.ts';
import { parseGeometry } from '../geojson-geometry.ts';
import { asGeometry, boxToWgs84, readCrs } from '../ogc/crs.ts';
import { readDatetime } from '../ogc/datetime.ts';
import { InvalidOgcParameterError } from '../ogc/errors.ts';
import { readBbox, readLimit, readParameters } from '../ogc/item-request.ts';
import { checkedCondition } from '../ogc/scene-collection.ts';
import { parseJson } from '../parse-json.ts';
import type { SceneFilter } from '../scene/scene.service.ts';
import { SCENES } from './item.ts';

const DEFAULT_LIMIT = 10;
const MAX_IDS = 1000;
const LANGUAGES = ['cql2-text', 'cql2-json'] as const;

/** What a filter may name, by the names that items give, and what the service calls it. */
export const QUERYABLES = [
  { name: 'id', attribute: 'id', kind: 'TEXT', schema: { type: 'string' } },
  { name: 'title', attribute: 'name', kind: 'TEXT', schema: { type: 'string' } },
  { name: 'datetime', attribute: 'acquiredAt', kind: 'TIME', schema: { type: 'string', format: 'date-time' } },
  { name: 'created', attribute: 'createdAt', kind: 'TIME', schema: { type: 'string', format: 'date-time' } },
  { name: 'gsd', attribute: 'gsdM', kind: 'NUMBER', schema: { type: 'number' } },
  { name: 'proj:code', attribute: 'nativeCrs', kind: 'TEXT', schema: { type: 'string' } },
  { name: 'terraql:sha256', attribute: 'sha256', kind: 'TEXT', schema: { type: 'string' } },
] as const satisfies readonly { name: string; attribute: string; kind: QueryableKind; schema: object }[];

/** Which items are asked for. */
export interface StacSearch {
  readonly filter: SceneFilter;
  readonly limit: number;
  /** Cursor of the item before the first; null for the first page. */
  readonly after: string | null;
  /** Whether the request excludes every scene, as one of another collection does. */
  readonly isNone: boolean;
}

/** Parameters of a search as JSON has them. */
export const Search = z.strictObject({
  collections: z.array(z.string()).optional(),
  ids: z.array(z.string()).max(MAX_IDS).optional(),
  bbox: z.array(z.number()).optional(),
  intersects: z.unknown().optional(),
  datetime: z.string().optional(),
  limit: z.number().int().min(1).optional(),
  token: z.string().optional(),
  filter: z.unknown().optional(),
  'filter-lang': z.enum(LANGUAGES).optional(),
  'filter-crs': z.string().optional(),
});
type Search = z.infer<typeof Search>;

export interface SearchLimits {
  readonly maxPage: number;
  readonly maxVertices: number;
}

/**
 * Reads the body of `POST /search`.
 * @throws {InvalidOgcParameterError | InvalidCql2Error | InvalidGeometryError}
 * @see https://github.com/radiantearth/stac-api-spec/tree/v1.0.0/item-search
 */
export function readSearchBody(body: unknown, limits: SearchLimits): Promise<StacSearch> {
  const read = Search.safeParse(body ?? {});
  if (read.success) return searchOf(read.data, limits, 'cql2-json');
  const [issue] = read.error.issues;
  throw new InvalidOgcParameterError(`${issue!.path.join('.') || 'The body'}: ${issue!.message}.`);
}

/** Reads the parameters of `GET /search`, or those of the items of a collection. @throws as {@link readSearchBody} */
export function readSearchQuery(
  query: Readonly<Record<string, unknown>>,
  limits: SearchLimits,
  isOfCollection: boolean,
): Promise<StacSearch> {
  const known = Object.keys(Search.shape).filter((name) => !(isOfCollection && name === 'collections'));
  const parameters = readParameters(query, ['f', ...known]);
  const { collections, ids, bbox, intersects, limit, ...texts } = parameters;
  const language = texts['filter-lang'];
  if (language !== undefined && !LANGUAGES.some((one) => one === language)) {
    throw new InvalidOgcParameterError(
      `filter-lang is ${JSON.stringify(language)}; it must be one of ${LANGUAGES.join(', ')}.`,
    );
  }
  return searchOf(
    {
      ...texts,
      'filter-lang': language as Search['filter-lang'],
      ...(collections === undefined ? {} : { collections: collections.split(',') }),
      ...(ids === undefined ? {} : { ids: ids.split(',') }),
      ...(bbox === undefined ? {} : { bbox: readBbox(bbox) }),
      ...(intersects === undefined ? {} : { intersects: parseJson(intersects) ?? intersects }),
      ...(limit === undefined ? {} : { limit: readLimit(limit, DEFAULT_LIMIT) }),
    },
    limits,
    'cql2-text',
  );
}

async function searchOf(
  search: Search,
  limits: SearchLimits,
  otherwise: 'cql2-text' | 'cql2-json',
): Promise<StacSearch> {
  const { bbox, intersects, datetime, ids, collections, limit = DEFAULT_LIMIT, token = null } = search;
  if (bbox && intersects !== undefined) {
    throw new InvalidOgcParameterError('Give one of bbox and intersects, not both.');
  }
  if (ids && ids.length > MAX_IDS) {
    throw new InvalidOgcParameterError(`ids has ${ids.length} identifiers; the limit is ${MAX_IDS}.`);
  }
  const condition = await conditionOf(search, limits, otherwise);
  const place = bbox ? boxToWgs84(readBbox(bbox.join(',')), await readCrs('bbox-crs', undefined)) : null;
  const area = place === null ? intersects : asGeometry(place);
  const time = datetime === undefined ? null : readDatetime(instants(datetime));
  return {
    filter: {
      ...(condition ? { condition } : {}),
      ...(area === undefined ? {} : { intersects: repairable(parseGeometry(area, limits.maxVertices)) }),
      ...(time ? { acquired: { ...(time.from ? { from: time.from } : {}), ...(time.to ? { to: time.to } : {}) } } : {}),
    },
    limit: Math.min(limit, limits.maxPage),
    after: token,
    isNone: (collections !== undefined && !collections.includes(SCENES)) || ids?.length === 0,
  };
}

/** Instants alone, by RFC 3339, are what a search of STAC takes: no days. @throws {InvalidOgcParameterError} */
function instants(text: string): string {
  const upper = text.toUpperCase();
  const isInstant = (part: string): boolean =>
    part === '' || part === '..' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(part);
  if (upper.split('/').every(isInstant)) return upper;
  throw new InvalidOgcParameterError(
    `datetime is ${JSON.stringify(text)}; it must be an instant of RFC 3339 such as 2026-11-30T12:00:00Z, or two with / between, one of which may be ..`,
  );
}

async function conditionOf(
  search: Search,
  { maxVertices }: SearchLimits,
  otherwise: 'cql2-text' | 'cql2-json',
): Promise<Condition | null> {
  const { ids, filter, 'filter-lang': language = otherwise, 'filter-crs': crs } = search;
  if (!(await readCrs('filter-crs', crs)).isStored) {
    throw new InvalidOgcParameterError(`filter-crs is ${JSON.stringify(crs)}; filters of STAC are in WGS 84.`);
  }
  const all: Condition[] = [];
  if (ids) all.push({ among: { attribute: 'id' }, values: ids, negated: false });
  if (filter !== undefined) all.push(checkedCondition(resolved(readFilter(filter, language)), maxVertices));
  return all.length === 0 ? null : { all };
}

function readFilter(filter: unknown, language: 'cql2-text' | 'cql2-json'): Cql2Filter {
  if (language === 'cql2-json') return readCql2Json(typeof filter === 'string' ? filter : JSON.stringify(filter));
  if (typeof filter === 'string') return readCql2Text(filter);
  throw new InvalidOgcParameterError('filter must be a text where filter-lang is cql2-text.');
}

/** The condition of a filter, in the names of the service. */
function resolved(filter: Cql2Filter): Condition {
  const queryables = new Map<string, QueryableKind>([
    ...QUERYABLES.map(({ name, kind }): [string, QueryableKind] => [name, kind]),
    ['geometry', 'GEOMETRY'],
  ]);
  const condition = resolveCql2(filter, { queryables, toWgs84: (geometry) => geometry as never, parseInstant });
  return renamed(condition) as Condition;
}

const ATTRIBUTES: ReadonlyMap<string, string> = new Map(QUERYABLES.map(({ name, attribute }) => [name, attribute]));

/** A condition whose attributes have the names of the service. */
function renamed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(renamed);
  if (typeof part !== 'object' || part === null || part instanceof Date) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [
      name,
      name === 'attribute' && typeof value === 'string' ? ATTRIBUTES.get(value) : renamed(value),
    ]),
  );
}
