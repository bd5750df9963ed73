import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';
import { FEATURE_QUERYABLES, featureGeoJson } from '../feature/feature-record.ts';
import type { OutlinedRecord } from '../feature/feature.store.ts';
import type { Services } from '../services.ts';
import { conditionFilter } from './condition-filter.ts';
import type { Item, ItemCollection, ItemQuery } from './item-collection.ts';

/** Oldest first: by the primary key, which no later feature comes before. */
const OLDEST_FIRST: FeatureOrder = { by: 'CREATED', direction: 'ASC' };
/** Seven decimal places are a centimetre. */
const FORMAT = { precision: 7, simplifyM: 0 } as const;

/** What distinguishes one list of features from another. */
interface FeatureList {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly filter: RequestedFilter;
  readonly order?: FeatureOrder | null;
  readonly tilesQuery: string;
}

/** The features that a filter chooses, as a collection. */
export function featureCollection(services: Pick<Services, 'features'>, list: FeatureList): ItemCollection {
  const { filter: own, order, ...described } = list;
  return {
    ...described,
    properties: FEATURE_QUERYABLES,
    geometryDoc: 'Outline of the feature, a Polygon or MultiPolygon.',
    async page(query) {
      const filter = both(own, queryFilter(query));
      const page = { first: query.limit, after: query.after };
      const found = await services.features.records(filter, order ?? OLDEST_FIRST, page, FORMAT);
      return {
        items: found.edges.map(({ node }) => itemOf(node)),
        next: found.hasNextPage ? found.edges.at(-1)!.cursor : null,
        numberMatched: found.totalCount,
      };
    },
    async item(id) {
      const named = conditionFilter({ compare: '=', left: { attribute: 'id' }, right: { value: id } });
      const found = await services.features.records(both(own, named), OLDEST_FIRST, { first: 1 }, FORMAT);
      const [edge] = found.edges;
      return edge ? itemOf(edge.node) : null;
    },
  };
}

function itemOf({ record, outline }: OutlinedRecord): Item {
  return {
    geometry: outline,
    text: (geometry, isStored) => featureGeoJson(record, geometry, isStored ? record.bbox : null),
  };
}

function queryFilter({ condition, place, time }: ItemQuery): RequestedFilter {
  const filters: RequestedFilter[] = [];
  if (condition) filters.push(conditionFilter(condition));
  if (place) filters.push('type' in place ? { intersects: place } : { bbox: place });
  if (time) {
    filters.push({ acquired: { ...(time.from ? { from: time.from } : {}), ...(time.to ? { to: time.to } : {}) } });
  }
  return filters.reduce(both, {});
}

/** One filter where no member stands in both, which the database plans best. */
function both(one: RequestedFilter, other: RequestedFilter): RequestedFilter {
  return Object.keys(other).some((name) => name in one) ? { and: [one, other] } : { ...one, ...other };
}
