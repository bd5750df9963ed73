import type { Geometry } from 'geojson';
import { AppError } from '../errors.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import { checkFilter, checkOrder, InvalidFilterError, MAX_ADJACENT_M, type RequestedFilter } from './check-filter.ts';
import type { Feature, FeatureNeighbour } from './feature.ts';
import { type FeatureFilter, type FeatureOrder, type NeighbourFilter, SPATIAL_PREDICATES } from './feature.filter.ts';
import type { FeatureStore, GeometryFormat } from './feature.store.ts';
import { InvalidGeometryError } from './geojson-geometry.ts';

/** A page, a collection or a geometry format asks for more than is given. */
export class RequestTooLargeError extends AppError {
  readonly code = 'REQUEST_TOO_LARGE';
}

/** What a request may ask for at most. */
export interface FeatureLimits {
  /** Vertices of one geometry. */
  readonly maxVertices: number;
  /** Nodes of one page. */
  readonly maxPage: number;
}

/** Most features of one collection. */
export const MAX_COLLECTION = 50_000;

const LARGEST_FIRST: FeatureOrder = { by: 'AREA', direction: 'DESC' };

/** Questions about stored features. */
export class FeatureService {
  constructor(
    private readonly store: FeatureStore,
    private readonly limits: FeatureLimits,
  ) {}

  byId(id: string): Promise<Feature | null> {
    return this.store.byId(id);
  }

  /**
   * @param order largest first when absent
   * @throws {InvalidFilterError} {@link InvalidGeometryError} {@link RequestTooLargeError}
   */
  async find(
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    page: PageRequest,
  ): Promise<CountedPage<Feature>> {
    this.checkCount('first', page.first, this.limits.maxPage);
    const filter = await this.checked(requested, order);
    const [found, totalCount] = await Promise.all([
      this.store.find(filter, order ?? LARGEST_FIRST, page),
      this.store.count(filter),
    ]);
    return { ...found, totalCount };
  }

  /** @throws {InvalidFilterError} {@link InvalidGeometryError} */
  async count(requested: RequestedFilter): Promise<number> {
    return this.store.count(await this.checked(requested, undefined));
  }

  /** Outlines as RFC 7946 text by feature identifier. @throws {RequestTooLargeError} */
  async geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>> {
    checkFormat(format);
    return this.store.geometries(ids, format);
  }

  /**
   * Text of one RFC 7946 FeatureCollection.
   * @throws {InvalidFilterError} {@link InvalidGeometryError} {@link RequestTooLargeError}
   */
  async featureCollection(
    requested: RequestedFilter,
    order: FeatureOrder | undefined,
    limit: number,
    format: GeometryFormat,
  ): Promise<string> {
    this.checkCount('limit', limit, MAX_COLLECTION);
    checkFormat(format);
    const filter = await this.checked(requested, order);
    return this.store.featureCollection(filter, order ?? LARGEST_FIRST, limit, format);
  }

  /** Nearest first. @throws {InvalidFilterError} {@link RequestTooLargeError} */
  async neighbours(id: string, filter: NeighbourFilter, page: PageRequest): Promise<CountedPage<FeatureNeighbour>> {
    this.checkCount('first', page.first, this.limits.maxPage);
    const { withinM } = filter;
    if (withinM !== undefined && !(withinM >= 0 && withinM <= MAX_ADJACENT_M)) {
      throw new InvalidFilterError(`withinM is ${withinM}; it must be 0 to ${MAX_ADJACENT_M} metres`);
    }
    return this.store.neighbours(id, filter, page);
  }

  private async checked(requested: RequestedFilter, order: FeatureOrder | undefined): Promise<FeatureFilter> {
    const filter = checkFilter(requested, this.limits.maxVertices);
    checkOrder(order ?? LARGEST_FIRST, filter);
    for (const geometry of areasOf(filter)) {
      const reason = await this.store.invalidReason(geometry);
      if (reason !== null) throw new InvalidGeometryError(`the ${geometry.type} is not valid: ${reason}`);
    }
    return filter;
  }

  private checkCount(name: string, count: number, most: number): void {
    if (count >= 1 && count <= most) return;
    throw new RequestTooLargeError(`${name} is ${count}; it must be 1 to ${most}`);
  }
}

function checkFormat({ precision, simplifyM }: GeometryFormat): void {
  if (!Number.isInteger(precision) || precision < 0 || precision > 15) {
    throw new RequestTooLargeError(`precision is ${precision}; it must be 0 to 15 decimal places`);
  }
  if (!(simplifyM >= 0 && simplifyM <= MAX_ADJACENT_M)) {
    throw new RequestTooLargeError(`simplifyM is ${simplifyM}; it must be 0 to ${MAX_ADJACENT_M} metres`);
  }
}

/** The polygons of a filter, on all levels: the geometries that can be well formed and yet not valid. */
function areasOf(filter: FeatureFilter): Geometry[] {
  const { near, adjacentTo, not, and = [], or = [] } = filter;
  const own = [...SPATIAL_PREDICATES.map((predicate) => filter[predicate]), near?.geometry];
  const nested = [adjacentTo, not, ...and, ...or].flatMap((one) => (one ? areasOf(one) : []));
  return [...own.filter((one) => one !== undefined).filter(({ type }) => type.endsWith('Polygon')), ...nested];
}
