import type { MultiPolygon, Polygon } from 'geojson';
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Float, Info, Int, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import { FeatureFilterInput } from './feature.type.ts';
import { withoutNulls } from './absent-null.ts';
import type { RequestContext } from './context.ts';
import { JsonText } from './text-answer/json-text.ts';
import { GeoJSONGeometryScalar } from './scalars.ts';
import { AGGREGATE_COST, OVERLAY_COST, withWork } from './analysis-cost.ts';
import { plainTotals } from './text-answer/plain-totals.ts';
import type { FeatureGrouping } from '../analysis/statistics.ts';
import type { GroupStatistics } from '../analysis/statistics.service.ts';
import { FeatureGroupingEnum, FeatureStatisticsType } from './statistics.type.ts';

const QUARTILES: readonly number[] = [0.25, 0.5, 0.75];

@Resolver(() => FeatureStatisticsType)
export class StatisticsResolver {
  @AllowedTo('viewer')
  @Query(() => [FeatureStatisticsType], {
    complexity: withWork(AGGREGATE_COST),
    description: 'Measures of the matching features by group, ordered by key; a single group without `groupBy`.',
  })
  async featureStatistics(
    @Arg('filter', () => FeatureFilterInput, {
      nullable: true,
      description: 'Conditions on the features; all features by default.',
    })
    filter: FeatureFilterInput | undefined,
    @Arg('groupBy', () => [FeatureGroupingEnum], { defaultValue: [], description: 'Groupings, each at most once.' })
    groupBy: FeatureGrouping[],
    @Ctx() { services, warn, texts }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<GroupStatistics[]> {
    const asked = withoutNulls(filter ?? {});
    const plain = texts && plainTotals(info);
    if (!plain) return services.statistics.group(asked, groupBy, warn);
    const text = JsonText.list(await services.statistics.groupTexts(asked, groupBy, plain, warn));
    texts.push({ field: String(info.path.key), key: null, text });
    return [];
  }

  @FieldResolver(() => [Float], {
    complexity: AGGREGATE_COST,
    description: 'Quantiles of the area by linear interpolation, square metres; empty when no feature has an area.',
  })
  areaM2Quantiles(
    @Root() group: GroupStatistics,
    @Arg('q', () => [Float], { defaultValue: QUARTILES, description: 'Quantiles to compute, 0 to 1 each.' })
    q: number[],
  ): Promise<readonly number[]> {
    return group.areaM2Quantiles(q);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    complexity: OVERLAY_COST,
    description:
      'Area covered by the features, counted once where they overlap, square metres; null when no feature has an area.',
  })
  unionAreaM2(@Root() group: GroupStatistics): Promise<number | null> {
    return group.unionAreaM2();
  }

  @FieldResolver(() => Int, {
    complexity: AGGREGATE_COST,
    description: 'Number of stored pairs of touching features, both in the group.',
  })
  async touchingPairs(@Root() group: GroupStatistics): Promise<number> {
    return (await group.borders()).touchingPairs;
  }

  @FieldResolver(() => Float, {
    nullable: true,
    complexity: AGGREGATE_COST,
    description: 'Total length of the border shared by touching pairs, metres; null without georeference.',
  })
  async sharedBorderM(@Root() group: GroupStatistics): Promise<number | null> {
    return (await group.borders()).sharedBorderM;
  }

  @FieldResolver(() => GeoJSONGeometryScalar, {
    nullable: true,
    complexity: AGGREGATE_COST,
    description: 'Bounding box of the features, split in two at the antimeridian; null without georeference.',
  })
  extent(@Root() group: GroupStatistics): Promise<Polygon | MultiPolygon | null> {
    return group.extent();
  }
}
