import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { GeoJSONFeatureCollectionScalar } from './scalars.ts';

@InputType('ZonesInput', { description: 'Areas to measure in, at most 1000; give exactly one of the three.' })
export class ZonesInput {
  @Field(() => GeoJSONFeatureCollectionScalar, { nullable: true, description: 'Feature collection of polygons.' })
  collection?: object;

  @Field(() => [ID], { nullable: true, description: 'Outlines of stored features.' })
  featureIds?: string[];

  @Field(() => [ID], { nullable: true, description: 'Footprints of scenes.' })
  sceneIds?: string[];
}

@ObjectType('ZoneStatistics', { description: 'Measures of the matching features in a zone.' })
export class ZoneStatisticsType {
  @Field(() => Int, { description: 'Index among the given zones, from 0.' })
  readonly index!: number;

  @Field(() => ID, {
    nullable: true,
    description:
      'Identifier of the member of the collection, of the feature or of the scene; null when the member has none.',
  })
  readonly id!: string | null;

  @Field(() => Float, { description: 'Geodesic area of the zone, square metres.' })
  readonly areaM2!: number;
}
