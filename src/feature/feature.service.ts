import { repairWarning } from '../database/sql/valid-geometry.ts';
import { AppError } from '../errors.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import { checkFilter, checkGap, checkOrder, MAX_ADJACENT_M, type RequestedFilter } from './check-filter.ts';
import { checkComparison } from './filter-cost.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from './feature.ts';
import { type FeatureFilter, type FeatureOrder, LARGEST_FIRST, type NeighbourFilter } from './feature.filter.ts';
import type { AskedTexts, FeatureStore, OutlinedRecord, TextPage } from './feature.store.ts';
import { geometriesOf, withGeometries } from './filter-geometries.ts';

/** A collection or a geometry format asks for more than is given. */
export class RequestTooLargeError extends AppError {
  readonly code = 'REQUEST_TOO_LARGE';
}

export interface FeatureLimits {
  /** Vertices of one geometry. */
  readonly maxVertices: number;
  /** Largest gap to neighbours in other scenes, metres; neighbours of one scene are stored up to it. */
  readonly nearM: number;
}

/** Most features of one collection. */
const MAX_COLLECTION = 50_000;

/** Takes what a client should know of a request that was answered otherwise than it was put, a sentence each. */
export type Warn = (warning: string) => void;
const untold: Warn = () => undefined;

/** Which neighbours a client asks for. */
export type RequestedNeighbours = Omit<NeighbourFilter, 'reachM'>;

/**
 * Questions about stored features. Every method that takes a filter throws {@link InvalidFilterError},
 * `InvalidGeometryError` and `TooManyVerticesError`, and repairs geometries that are not valid, with a warning.
 */
export class FeatureService {
  constructor(
    private readonly store: FeatureStore,
    private readonly limits: FeatureLimits,
  ) {}

  byId(id: string): Promise<Feature | null> {
    return this.store.byId(id);
  }

  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Feature[]> {
    return this.store.byIds(ids);
  }

  /** The filter, ready for a store. */
  async checkedFilter(
    requested: RequestedFilter,
    order: FeatureOrder = LARGEST_FIRST,
    warn: Warn = untold,
  ): Promise<FeatureFilter> {
    const filter = checkFilter(requested, this.limits.maxVertices, this.limits.nearM);
    checkOrder(order, filter);
    const areas = geometriesOf(filter).filter(({ type }) => type.endsWith('Polygon') || type === 'GeometryCollection');
    const repairs = new Map((await this.store.repair(areas)).map((repair) => [repair.given, repair]));
    if (repairs.size === 0) return filter;
    for (const repair of repairs.values()) warn(repairWarning(repair));
    return withGeometries(filter, (geometry) => repairs.get(geometry)?.repaired ?? geometry);
  }

  /**
   * @param order largest first when absent
   * @param outlines how to read the outlines with the page; a format that {@link geometries} refuses is left to it
   */
  async find(
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    page: PageRequest,
    warn?: Warn,
    outlines: GeometryFormat | null = null,
  ): Promise<CountedPage<Feature>> {
    const filter = await this.checkedFilter(requested, order, warn);
    const readable = outlines && formatProblem(outlines) === null ? outlines : null;
    const found = await this.store.find(filter, order ?? LARGEST_FIRST, page, readable);
    return { ...found, totalCount: () => this.store.count(filter) };
  }

  /** The page that {@link find} gives, each feature as JSON text of some of its fields. @throws {RequestTooLargeError} */
  async findTexts(
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    page: PageRequest,
    asked: AskedTexts,
    warn?: Warn,
  ): Promise<TextPage & { readonly totalCount: () => Promise<number> }> {
    for (const field of asked.fields) if (field.name === 'geometry') checkFormat(field.format);
    const filter = await this.checkedFilter(requested, order, warn);
    const found = await this.store.findTexts(filter, order ?? LARGEST_FIRST, page, asked);
    return { ...found, totalCount: () => this.store.count(filter) };
  }

  /** The same page of the features of each of several segmentations, by segmentation. */
  async findIn(
    segmentationIds: readonly string[],
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    page: PageRequest,
    warn?: Warn,
  ): Promise<Map<string, Page<Feature>>> {
    const filter = await this.checkedFilter(requested, order, warn);
    return this.store.findIn(segmentationIds, filter, order ?? LARGEST_FIRST, page);
  }

  async count(requested: RequestedFilter, warn?: Warn): Promise<number> {
    return this.store.count(await this.checkedFilter(requested, undefined, warn));
  }

  /** Number of matching features by segmentation. */
  async countsIn(segmentationIds: readonly string[], requested: RequestedFilter): Promise<Map<string, number>> {
    return this.store.countsIn(segmentationIds, await this.checkedFilter(requested));
  }

  /** Outlines as RFC 7946 text by feature identifier. @throws {RequestTooLargeError} */
  async geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>> {
    checkFormat(format);
    return this.store.geometries(ids, format);
  }

  /** Text of one RFC 7946 FeatureCollection; warns when more features match. @throws {RequestTooLargeError} */
  async featureCollection(
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    limit: number,
    format: GeometryFormat,
    warn?: Warn,
  ): Promise<string> {
    if (!(limit >= 0 && limit <= MAX_COLLECTION)) {
      throw new RequestTooLargeError(`limit is ${limit}; it must be 0 to ${MAX_COLLECTION}.`, {
        details: { argument: 'limit', value: limit, limit: MAX_COLLECTION },
      });
    }
    checkFormat(format);
    const filter = await this.checkedFilter(requested, order, warn);
    const { text, numberMatched, numberReturned } = await this.store.featureCollection(
      filter,
      order ?? LARGEST_FIRST,
      limit,
      format,
    );
    if (numberReturned < numberMatched) {
      warn?.(`The collection has ${numberReturned} of ${numberMatched} matching features; the limit is ${limit}.`);
    }
    return text;
  }

  /** A page of features as files and collections have them. @throws {RequestTooLargeError} */
  async records(
    requested: RequestedFilter,
    order: FeatureOrder,
    page: PageRequest,
    format: GeometryFormat,
  ): Promise<CountedPage<OutlinedRecord>> {
    checkFormat(format);
    const filter = await this.checkedFilter(requested, order);
    const found = await this.store.records(filter, order, page, format);
    return { ...found, totalCount: () => this.store.count(filter) };
  }

  /**
   * The same page of the neighbours of each of several features, by feature; nearest first.
   * @throws {ComparisonTooLargeError} for a `withinM` that reaches too many
   */
  async neighbours(
    ids: readonly string[],
    requested: RequestedNeighbours,
    page: PageRequest,
  ): Promise<Map<string, Page<FeatureNeighbour>>> {
    return this.store.neighbours(ids, await this.checkNeighbours(ids, requested), page);
  }

  /** Number of neighbours by feature; unknown identifiers are left out. */
  async neighbourCounts(ids: readonly string[], requested: RequestedNeighbours): Promise<Map<string, number>> {
    return this.store.neighbourCounts(ids, await this.checkNeighbours(ids, requested));
  }

  private async checkNeighbours(ids: readonly string[], requested: RequestedNeighbours): Promise<NeighbourFilter> {
    const { withinM } = requested;
    checkGap('withinM', withinM);
    if (withinM !== undefined) checkComparison(await this.store.comparison(ids, withinM));
    return { ...requested, reachM: this.limits.nearM };
  }
}

/** Most decimal places of a coordinate. */
const MAX_PLACES = 15;

function checkFormat(format: GeometryFormat): void {
  const problem = formatProblem(format);
  if (problem !== null) throw problem;
}

function formatProblem({ precision, simplifyM }: GeometryFormat): RequestTooLargeError | null {
  if (!Number.isInteger(precision) || precision < 0 || precision > MAX_PLACES) {
    const details = { argument: 'precision', value: precision, limit: MAX_PLACES };
    const message = `precision is ${precision}; it must be 0 to ${MAX_PLACES} decimal places.`;
    return new RequestTooLargeError(message, { details });
  }
  if (!(simplifyM >= 0 && simplifyM <= MAX_ADJACENT_M)) {
    const details = { argument: 'simplifyM', value: simplifyM, limit: MAX_ADJACENT_M };
    const message = `simplifyM is ${simplifyM}; it must be 0 to ${MAX_ADJACENT_M} metres.`;
    return new RequestTooLargeError(message, { details });
  }
  return null;
}
