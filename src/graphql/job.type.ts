import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar, GeoJSONGeometryScalar } from './scalars.ts';
import { SceneFilterInput } from './scene.type.ts';
import { SegmentationScaleEnum, SegmentationStateEnum, SegmentationTaskEnum } from './segmentation.type.ts';

@ObjectType('JobCounts', { description: 'Runs of a job by state.' })
export class JobCountsType {
  @Field(() => Int, { description: 'Runs that wait for a worker.' })
  readonly queued!: number;

  @Field(() => Int, { description: 'Runs under way.' })
  readonly running!: number;

  @Field(() => Int, { description: 'Runs with an answer.' })
  readonly succeeded!: number;

  @Field(() => Int, { description: 'Runs that gave up.' })
  readonly failed!: number;

  @Field(() => Int, { description: 'Runs that were cancelled.' })
  readonly cancelled!: number;

  @Field(() => Int, { description: 'Runs of all states that were stored or in progress before the job asked.' })
  readonly reused!: number;
}

@ObjectType('JobProgress', { description: 'How far a job has come.' })
export class JobProgressType {
  @Field(() => Int, { description: 'Windows answered, of all prompts; those of reused answers count at once.' })
  readonly windowsDone!: number;

  @Field(() => Int, { description: 'Windows of all prompts on all scenes that are planned.' })
  readonly windowsTotal!: number;

  @Field(() => Float, { description: 'Part done, 0 to 1; of scenes where there are no windows.' })
  readonly fraction!: number;

  @Field(() => Float, { nullable: true, description: 'Seconds to go; null when unknown.' })
  readonly etaS!: number | null;
}

@ObjectType('JobEstimate', { description: 'What a job would cost.' })
export class JobEstimateType {
  @Field(() => Int, { description: 'Scenes that match; of a catalogue, items.' })
  readonly scenes!: number;

  @Field(() => Float, {
    description:
      'Windows to look at, of all prompts, without those stored. Scenes that are not registered are not counted.',
  })
  readonly windows!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Ground of the scenes, square kilometres; null without georeference.',
  })
  readonly areaKm2!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Seconds at the speed of the last 100 runs of the model, one after another; null before its first.',
  })
  readonly seconds!: number | null;

  @Field(() => Int, { description: 'Questions whose answers are stored or in progress.' })
  readonly stored!: number;

  @Field(() => Int, { description: 'Scenes that cannot be asked, such as those with too many windows.' })
  readonly impossible!: number;
}

@ObjectType('Job', { implements: NodeType, description: 'Many runs under one roof.' })
export class JobType extends NodeType {
  @Field(() => SegmentationStateEnum, {
    description: 'SUCCEEDED when all is done, FAILED when a scene or a run failed. It is final but for `retryJob`.',
  })
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => Boolean, { description: 'Whether no further scene begins until it is resumed.' })
  readonly paused!: boolean;

  @Field(() => Int, { description: 'Number of scenes.' })
  readonly scenes!: number;

  @Field(() => Int, { description: 'Scenes that are not begun.' })
  readonly pending!: number;

  @Field(() => Int, { description: 'Scenes that could not be registered or asked about.' })
  readonly failedScenes!: number;

  @Field(() => JobCountsType, { description: 'Its runs by state.' })
  readonly runs!: JobCountsType;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  readonly createdAt!: Date;
}

export const JobConnectionType = connectionTypes('Job', () => JobType);

@InputType('StacInput', { description: 'Images of a STAC catalogue.' })
export class StacInput {
  @Field(() => String, {
    description: 'Address of an Item, an ItemCollection, a Collection, a static Catalog or an API: `https://…`.',
  })
  url!: string;

  @Field(() => [String], { nullable: true, description: 'Identifiers of collections; all unless given.' })
  collections?: string[];

  @Field(() => [Float], { nullable: true, description: '[west, south, east, north], WGS 84, that items meet.' })
  bbox?: number[];

  @Field(() => String, {
    nullable: true,
    description: 'An instant or an interval `from/to`, RFC 3339, with `..` for an open end.',
  })
  datetime?: string;

  @Field(() => String, {
    nullable: true,
    description: 'JSON of the query extension, such as `{"eo:cloud_cover": {"lt": 10}}`; an API answers it.',
  })
  query?: string;

  @Field(() => String, {
    nullable: true,
    description: 'Asset to read. Unless given: `visual`, else one with red, green and blue bands, else the data.',
  })
  assetKey?: string;

  @Field(() => Int, { nullable: true, defaultValue: 1000, description: 'Most items, 1 to 10000.' })
  limit?: number;
}

@InputType('RegisterScenesInput', { description: 'Images to register: exactly one of `stac` and `urls`.' })
export class RegisterScenesInput {
  @Field(() => StacInput, { nullable: true, description: 'Images of a STAC catalogue.' })
  stac?: StacInput;

  @Field(() => [String], { nullable: true, description: 'Addresses: `https://…` or `s3://bucket/key`.' })
  urls?: string[];
}

@InputType('SegmentScenesInput', {
  description: 'Questions about many scenes: exactly one of `filter`, `ids`, `stac` and `urls`.',
})
export class SegmentScenesInput {
  @Field(() => SceneFilterInput, { nullable: true, description: 'Scenes that match now; `{}` for all.' })
  filter?: SceneFilterInput;

  @Field(() => [ID], { nullable: true, description: 'Scenes by identifier, at most 10000.' })
  ids?: string[];

  @Field(() => StacInput, { nullable: true, description: 'Images of a STAC catalogue, which are registered first.' })
  stac?: StacInput;

  @Field(() => [String], { nullable: true, description: 'Addresses of images, which are registered first.' })
  urls?: string[];

  @Field(() => [String], { description: 'Questions in plain words, the same for every scene.' })
  prompts!: string[];

  @Field(() => SegmentationTaskEnum, {
    nullable: true,
    defaultValue: 'REASONING',
    description: 'How the prompts are to be understood.',
  })
  task?: keyof typeof SegmentationTaskEnum;

  @Field(() => ID, {
    nullable: true,
    description: 'Model as `name` or `name/version`; the default model unless given.',
  })
  modelId?: string;

  @Field(() => SegmentationScaleEnum, {
    nullable: true,
    defaultValue: 'AUTO',
    description: 'Scale at which the model sees the scenes.',
  })
  scale?: keyof typeof SegmentationScaleEnum;

  @Field(() => Float, { nullable: true, description: 'Ground sample distance to show the model, metres.' })
  gsdM?: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0.5,
    description: 'Probability from which a pixel belongs to the mask, 0 to 1.',
  })
  threshold?: number;

  @Field(() => Float, { nullable: true, defaultValue: 0, description: 'Smaller features are dropped, square metres.' })
  minAreaM2?: number;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Polygon or MultiPolygon; pixels outside it are not part of the question.',
  })
  areaOfInterest?: object;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Asks again even if the same work is stored or in progress, which is taken otherwise.',
  })
  force?: boolean;
}
