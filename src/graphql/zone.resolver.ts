import { Arg, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { Feature } from '../feature/feature.ts';
import { FeatureFilterInput, FeatureType } from './feature.type.ts';
import { withoutNulls } from './absent-null.ts';
import type { RequestContext } from './context.ts';
import { OVERLAY_COST, withWork } from './analysis-cost.ts';
import type { MeasuredZone } from '../analysis/zone.service.ts';
import { ZonesInput, ZoneStatisticsType } from './zone.type.ts';

@Resolver(() => ZoneStatisticsType)
export class ZoneResolver {
  @AllowedTo('viewer')
  @Query(() => [ZoneStatisticsType], {
    description:
      'Coverage, count and nearest of the matching features, zone by zone. A zone that is a feature does not count itself.',
  })
  zonalStatistics(
    @Arg('zones', () => ZonesInput, { description: 'Areas in which to measure.' }) zones: ZonesInput,
    @Arg('filter', () => FeatureFilterInput, {
      nullable: true,
      description: 'Conditions on the features; all features by default.',
    })
    filter: FeatureFilterInput | undefined,
    @Ctx() { services, warn }: RequestContext,
  ): Promise<MeasuredZone[]> {
    const { collection, ...stored } = zones;
    const requested = { ...withoutNulls(stored), ...(collection ? { collection } : {}) };
    return services.zones.measure(requested, withoutNulls(filter ?? {}), warn);
  }

  @FieldResolver(() => Int, {
    complexity: OVERLAY_COST,
    description: 'Number of features that share ground with the zone.',
  })
  async featureCount(@Root() zone: MeasuredZone): Promise<number> {
    return (await zone.coverage()).featureCount;
  }

  @FieldResolver(() => Float, {
    complexity: OVERLAY_COST,
    description: 'Area of the zone that features cover, counted once where they overlap, square metres.',
  })
  async coveredAreaM2(@Root() zone: MeasuredZone): Promise<number> {
    return (await zone.coverage()).coveredAreaM2;
  }

  @FieldResolver(() => Float, {
    complexity: OVERLAY_COST,
    description: 'Covered share of the area of the zone, 0 to 1.',
  })
  coveredShare(@Root() zone: MeasuredZone): Promise<number> {
    return zone.coveredShare();
  }

  @FieldResolver(() => Float, {
    nullable: true,
    complexity: OVERLAY_COST,
    description:
      'Geodesic distance from the zone to the nearest feature, metres: 0 for a feature that intersects the zone, null when none matches.',
  })
  async nearestDistanceM(@Root() zone: MeasuredZone): Promise<number | null> {
    return (await zone.nearest())?.distanceM ?? null;
  }

  @FieldResolver(() => FeatureType, {
    nullable: true,
    complexity: withWork(OVERLAY_COST),
    description: 'The nearest feature; null when none matches.',
  })
  async nearest(@Root() zone: MeasuredZone, @Ctx() { features }: RequestContext): Promise<Feature | null> {
    const nearest = await zone.nearest();
    return nearest && features.load(nearest.featureId);
  }
}
