import type { MultiPolygon, Polygon } from 'geojson';
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar, GeoJSONGeometryScalar } from './scalars.ts';

@ObjectType('Scene', { implements: NodeType, description: 'An image and its georeference.' })
export class SceneType extends NodeType {
  @Field(() => String)
  readonly name!: string;

  @Field(() => String, { description: 'Path, URL, or `upload:` and the file name.' })
  readonly source!: string;

  @Field(() => String, { description: 'Of the bytes of the file, lower-case hexadecimal.' })
  readonly sha256!: string;

  @Field(() => Int)
  readonly widthPx!: number;

  @Field(() => Int)
  readonly heightPx!: number;

  @Field(() => Int)
  readonly bands!: number;

  @Field(() => String, { description: 'Sample type as stored: uint8, int16, float32, …' })
  readonly dtype!: string;

  @Field(() => String, { nullable: true, description: 'EPSG code, or definition; null without georeference.' })
  readonly crs!: string | null;

  @Field(() => Float, { nullable: true, description: 'Ground size of a pixel at the centre, metres.' })
  readonly gsdM!: number | null;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  readonly footprint!: Polygon | MultiPolygon | null;

  @Field(() => Float, { nullable: true, description: 'Geodesic area of the footprint.' })
  readonly areaM2!: number | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly acquiredAt!: Date | null;

  @Field(() => DateTimeScalar)
  readonly createdAt!: Date;
}

export const SceneConnectionType = connectionTypes('Scene', () => SceneType);

@ObjectType('Upload', { description: 'A one-time address for the bytes of a scene.' })
export class UploadType {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => String, { description: 'PUT the bytes here.' })
  readonly url!: string;

  @Field(() => DateTimeScalar)
  readonly expiresAt!: Date;

  @Field(() => Float)
  readonly maxBytes!: number;
}

@InputType('RegisterSceneInput')
export class RegisterSceneInput {
  @Field(() => String, {
    nullable: true,
    description: 'Exactly one of path (under an allowed root), url (https, s3) and uploadId.',
  })
  path?: string;

  @Field(() => String, { nullable: true })
  url?: string;

  @Field(() => ID, { nullable: true })
  uploadId?: string;

  @Field(() => [Float], {
    nullable: true,
    description: 'For images without georeference: [west, south, east, north] in WGS 84.',
  })
  bounds?: number[];

  @Field(() => [Int], { nullable: true, description: 'Band numbers (1-based) to show the model as red, green, blue.' })
  bands?: number[];

  @Field(() => DateTimeScalar, { nullable: true })
  acquiredAt?: Date;

  @Field(() => String, { nullable: true })
  name?: string;
}

@InputType('DateTimeRange', { description: 'Both ends included.' })
export class DateTimeRangeInput {
  @Field(() => DateTimeScalar, { nullable: true })
  from?: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  to?: Date;
}

@InputType('SceneFilter', { description: 'Every condition given must hold.' })
export class SceneFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the name, letter case ignored.' })
  name?: string;

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Footprint meets this geometry.' })
  intersects?: object;

  @Field(() => DateTimeRangeInput, { nullable: true })
  acquired?: DateTimeRangeInput;
}
