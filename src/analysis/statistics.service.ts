import type { MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import type { FeatureService, Warn } from '../feature/feature.service.ts';
import { once } from './once.ts';
import { reachOutline } from './reach-outline.ts';
import type {
  ByGroup,
  FeatureGrouping,
  GroupBorders,
  GroupKey,
  GroupReach,
  GroupTotals,
  StatisticsStore,
  TotalsField,
} from './statistics.ts';

/** A grouping or a quantile that cannot be asked for. */
export class InvalidStatisticsError extends AppError {
  readonly code = 'INVALID_STATISTICS';
}

/** The features fall into more groups than one answer has. */
export class TooManyGroupsError extends AppError {
  readonly code = 'TOO_MANY_GROUPS';
  constructor(groupBy: readonly FeatureGrouping[]) {
    super(
      `Grouping by ${groupBy.join(', ')} gives more than ${MAX_GROUPS} groups; narrow the filter or group more coarsely.`,
    );
  }
}

/** Too many outlines to be united in one request. */
export class UnionTooLargeError extends AppError {
  readonly code = 'UNION_TOO_LARGE';
  constructor(features: number) {
    super(`unionAreaM2 covers ${features} features; the limit is ${MAX_UNION_FEATURES}. Narrow the filter.`, {
      details: { value: features, limit: MAX_UNION_FEATURES },
    });
  }
}

/** Most groups of one answer. */
const MAX_GROUPS = 10_000;
/** Most features whose outlines are united for one answer, all groups together. */
const MAX_UNION_FEATURES = 200_000;
const MAX_QUANTILES = 100;

/** Sums and distributions over stored features. */
export class StatisticsService {
  constructor(
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
    private readonly store: StatisticsStore,
  ) {}

  /**
   * Groups in the order of their keys, in the numbers as they are stored. Sums come at once; every other measure takes
   * one statement for all groups, when the first of them is asked for it.
   * @throws {InvalidStatisticsError} {@link TooManyGroupsError} and what a filter is refused for
   */
  async group(
    requested: RequestedFilter,
    groupBy: readonly FeatureGrouping[],
    warn?: Warn,
  ): Promise<GroupStatistics[]> {
    const filter = await this.checked(requested, groupBy, warn);
    const totals = notTooMany(await this.store.totals(filter, groupBy, MAX_GROUPS + 1), groupBy);
    const quantiles = new Map<string, () => Promise<ByGroup<readonly number[]>>>();
    const measures: Measures = {
      unionAreas: once(() => {
        const count = totals.reduce((sum, { featureCount }) => sum + featureCount, 0);
        if (count > MAX_UNION_FEATURES) throw new UnionTooLargeError(count);
        return this.store.unionAreas(filter, groupBy);
      }),
      borders: once(() => this.store.borders(filter, groupBy)),
      reaches: once(() => this.store.reaches(filter, groupBy)),
      areaQuantiles: (q) => {
        const name = q.join();
        const known = quantiles.get(name) ?? once(() => this.store.areaQuantiles(filter, groupBy, q));
        quantiles.set(name, known);
        return known();
      },
    };
    return totals.map((one) => new GroupStatistics(one, measures));
  }

  /** The groups that {@link group} gives, each as JSON text of some of its sums. @throws as that */
  async groupTexts(
    requested: RequestedFilter,
    groupBy: readonly FeatureGrouping[],
    fields: readonly TotalsField[],
    warn?: Warn,
  ): Promise<string[]> {
    const filter = await this.checked(requested, groupBy, warn);
    return notTooMany(await this.store.totalsTexts(filter, groupBy, MAX_GROUPS + 1, fields), groupBy);
  }

  private checked(
    requested: RequestedFilter,
    groupBy: readonly FeatureGrouping[],
    warn: Warn | undefined,
  ): Promise<FeatureFilter> {
    const repeated = groupBy.find((grouping, index) => groupBy.indexOf(grouping) !== index);
    if (repeated) throw new InvalidStatisticsError(`groupBy names ${repeated} twice; name each grouping once.`);
    return this.features.checkedFilter(requested, undefined, warn);
  }
}

/** @throws {TooManyGroupsError} */
function notTooMany<Group>(groups: Group[], groupBy: readonly FeatureGrouping[]): Group[] {
  if (groups.length > MAX_GROUPS) throw new TooManyGroupsError(groupBy);
  return groups;
}

/** Measures of all groups, each computed when it is first asked for. */
interface Measures {
  readonly unionAreas: () => Promise<ByGroup<number>>;
  readonly borders: () => Promise<ByGroup<GroupBorders>>;
  readonly reaches: () => Promise<ByGroup<GroupReach>>;
  readonly areaQuantiles: (q: readonly number[]) => Promise<ByGroup<readonly number[]>>;
}

/** One group: its sums, and measures on demand. */
export class GroupStatistics implements GroupTotals {
  readonly key: GroupKey;
  readonly featureCount: number;
  readonly areaM2: number | null;
  readonly perimeterM: number | null;
  readonly meanProbability: number | null;
  private readonly name: string;

  constructor(
    totals: GroupTotals,
    private readonly measures: Measures,
  ) {
    this.key = totals.key;
    this.featureCount = totals.featureCount;
    this.areaM2 = totals.areaM2;
    this.perimeterM = totals.perimeterM;
    this.meanProbability = totals.meanProbability;
    this.name = JSON.stringify(totals.key);
  }

  /**
   * Quantiles of the features' areas, interpolated between neighbours; empty when none has an area.
   * @param q each 0 (smallest) to 1 (largest)
   * @throws {InvalidStatisticsError}
   */
  async areaM2Quantiles(q: readonly number[]): Promise<readonly number[]> {
    if (q.length > MAX_QUANTILES) {
      throw new InvalidStatisticsError(`The request has ${q.length} quantiles; the limit is ${MAX_QUANTILES}.`, {
        details: { argument: 'q', value: q.length, limit: MAX_QUANTILES },
      });
    }
    const wrong = q.find((one) => !(one >= 0 && one <= 1));
    if (wrong !== undefined) throw new InvalidStatisticsError(`Quantile ${wrong} is not within 0 to 1.`);
    return (await this.measures.areaQuantiles(q)).get(this.name) ?? [];
  }

  /** Geodesic area, counted once where features overlap; as the area for groups without one. @throws {UnionTooLargeError} */
  async unionAreaM2(): Promise<number | null> {
    return this.areaM2 === null || this.featureCount === 0
      ? this.areaM2
      : ((await this.measures.unionAreas()).get(this.name) ?? 0);
  }

  async borders(): Promise<GroupBorders> {
    const none = { touchingPairs: 0, sharedBorderM: this.areaM2 === null ? null : 0 };
    return (await this.measures.borders()).get(this.name) ?? none;
  }

  /** Box around the features; null when none has a place on the ground. */
  async extent(): Promise<Polygon | MultiPolygon | null> {
    const reach = (await this.measures.reaches()).get(this.name);
    return reach ? reachOutline(reach) : null;
  }
}
