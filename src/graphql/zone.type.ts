import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { GeoJSONFeatureCollectionScalar } from './scalars.ts';

@InputType('ZonesInput', { description: 'Areas to measure in, at most 1000: exactly one of the three.' })
export class ZonesInput {
  @Field(() => GeoJSONFeatureCollectionScalar, { nullable: true, description: 'Of polygons.' })
  collection?: object;

  @Field(() => [ID], { nullable: true, description: 'Outlines of stored features.' })
  featureIds?: string[];

  @Field(() => [ID], { nullable: true, description: 'Footprints of scenes.' })
  sceneIds?: string[];
}

@ObjectType('ZoneStatistics', { description: 'What the features that match leave in a zone.' })
export class ZoneStatisticsType {
  @Field(() => Int, { description: 'Place among the zones that were given, from 0.' })
  readonly index!: number;

  @Field(() => ID, { nullable: true, description: 'Of the member of the collection, of the feature or of the scene.' })
  readonly id!: string | null;

  @Field(() => Float, { description: 'Of the zone itself.' })
  readonly areaM2!: number;
}
