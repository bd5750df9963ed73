import { Arg, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from 'type-graphql';
import type { Feature } from '../feature/feature.ts';
import { FeatureFilterInput, FeatureType } from './feature.type.ts';
import { withoutNulls } from './absent-null.ts';
import type { RequestContext } from './context.ts';
import { OVERLAY_COST, withWork } from './analysis-cost.ts';
import type { MeasuredZone } from '../analysis/zone.service.ts';
import { ZonesInput, ZoneStatisticsType } from './zone.type.ts';

@Resolver(() => ZoneStatisticsType)
export class ZoneResolver {
  @Query(() => [ZoneStatisticsType], {
    description:
      'Coverage, count and nearest of the features that match, zone by zone. A feature is never counted in itself.',
  })
  zonalStatistics(
    @Arg('zones', () => ZonesInput) zones: ZonesInput,
    @Arg('filter', () => FeatureFilterInput, { nullable: true }) filter: FeatureFilterInput | undefined,
    @Ctx() { services, warn }: RequestContext,
  ): Promise<MeasuredZone[]> {
    const { collection, ...stored } = zones;
    const requested = { ...withoutNulls(stored), ...(collection ? { collection } : {}) };
    return services.zones.measure(requested, withoutNulls(filter ?? {}), warn);
  }

  @FieldResolver(() => Int, {
    description: 'Features that have ground in common with the zone.',
    complexity: OVERLAY_COST,
  })
  async featureCount(@Root() zone: MeasuredZone): Promise<number> {
    return (await zone.coverage()).featureCount;
  }

  @FieldResolver(() => Float, {
    description: 'Ground of the zone that features cover; counted once where they overlap.',
    complexity: OVERLAY_COST,
  })
  async coveredAreaM2(@Root() zone: MeasuredZone): Promise<number> {
    return (await zone.coverage()).coveredAreaM2;
  }

  @FieldResolver(() => Float, { description: 'Of the area of the zone, 0 to 1.', complexity: OVERLAY_COST })
  coveredShare(@Root() zone: MeasuredZone): Promise<number> {
    return zone.coveredShare();
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'Geodesic, from outline to outline; 0 for a feature that meets the zone, null when none matches.',
    complexity: OVERLAY_COST,
  })
  async nearestDistanceM(@Root() zone: MeasuredZone): Promise<number | null> {
    return (await zone.nearest())?.distanceM ?? null;
  }

  @FieldResolver(() => FeatureType, { nullable: true, complexity: withWork(OVERLAY_COST) })
  async nearest(@Root() zone: MeasuredZone, @Ctx() { features }: RequestContext): Promise<Feature | null> {
    const nearest = await zone.nearest();
    return nearest && features.load(nearest.featureId);
  }
}
