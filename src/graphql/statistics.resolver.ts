import type { MultiPolygon, Polygon } from 'geojson';
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Float, Info, Int, Query, Resolver, Root } from 'type-graphql';
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
  @Query(() => [FeatureStatisticsType], {
    description: 'Measures of the features that match, in groups: in the order of their keys, or one of all.',
    complexity: withWork(AGGREGATE_COST),
  })
  async featureStatistics(
    @Arg('filter', () => FeatureFilterInput, { nullable: true }) filter: FeatureFilterInput | undefined,
    @Arg('groupBy', () => [FeatureGroupingEnum], { defaultValue: [] }) groupBy: FeatureGrouping[],
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
    description: 'Interpolated; empty where no feature has an area.',
    complexity: AGGREGATE_COST,
  })
  areaM2Quantiles(
    @Root() group: GroupStatistics,
    @Arg('q', () => [Float], { defaultValue: QUARTILES }) q: number[],
  ): Promise<readonly number[]> {
    return group.areaM2Quantiles(q);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'Area counted once where features overlap.',
    complexity: OVERLAY_COST,
  })
  unionAreaM2(@Root() group: GroupStatistics): Promise<number | null> {
    return group.unionAreaM2();
  }

  @FieldResolver(() => Int, {
    description: 'Stored pairs of features that touch, both in the group.',
    complexity: AGGREGATE_COST,
  })
  async touchingPairs(@Root() group: GroupStatistics): Promise<number> {
    return (await group.borders()).touchingPairs;
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'Outline that those pairs have in common.',
    complexity: AGGREGATE_COST,
  })
  async sharedBorderM(@Root() group: GroupStatistics): Promise<number | null> {
    return (await group.borders()).sharedBorderM;
  }

  @FieldResolver(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Box around the features, in two parts across the antimeridian; null without georeference.',
    complexity: AGGREGATE_COST,
  })
  extent(@Root() group: GroupStatistics): Promise<Polygon | MultiPolygon | null> {
    return group.extent();
  }
}
