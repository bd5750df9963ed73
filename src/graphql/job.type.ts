import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar } from './scalars.ts';
import { SceneFilterInput } from './scene.type.ts';
import { QuestionsInput, SegmentationStateEnum } from './segmentation.type.ts';

@ObjectType('JobCounts', { description: 'Runs of a job by state.' })
export class JobCountsType {
  @Field(() => Int, { description: 'Runs waiting for a worker.' })
  readonly queued!: number;

  @Field(() => Int, { description: 'Runs in progress.' })
  readonly running!: number;

  @Field(() => Int, { description: 'Runs with an answer.' })
  readonly succeeded!: number;

  @Field(() => Int, { description: 'Runs that failed.' })
  readonly failed!: number;

  @Field(() => Int, { description: 'Runs that were cancelled.' })
  readonly cancelled!: number;

  @Field(() => Int, { description: 'Runs of any state that already existed when the job started.' })
  readonly reused!: number;
}

@ObjectType('JobProgress', { description: 'Progress of a job.' })
export class JobProgressType {
  @Field(() => Int, { description: 'Windows answered, over all prompts; windows of reused answers count at once.' })
  readonly windowsDone!: number;

  @Field(() => Int, { description: 'Windows of all prompts on all planned scenes.' })
  readonly windowsTotal!: number;

  @Field(() => Float, {
    description: 'Share of the windows done, 0 to 1; share of the scenes when no windows are planned.',
  })
  readonly fraction!: number;

  @Field(() => Float, { nullable: true, description: 'Estimated seconds remaining; null when unknown.' })
  readonly etaS!: number | null;
}

@ObjectType('JobEstimate', { description: 'Estimated cost of a job.' })
export class JobEstimateType {
  @Field(() => Int, { description: 'Number of matching scenes, or of items in a catalogue.' })
  readonly scenes!: number;

  @Field(() => Int, {
    description:
      'Scenes that the job has yet to register. Their windows, area and stored answers are not known yet and not included in the other numbers.',
  })
  readonly unplanned!: number;

  @Field(() => Float, { description: 'Windows to process, over all prompts, without stored answers.' })
  readonly windows!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Ground area of the scenes, square kilometres; null without georeference.',
  })
  readonly areaKm2!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      "Estimated seconds at the speed of the model's last 100 runs, one after another; null before its first run, and if scenes are unplanned.",
  })
  readonly seconds!: number | null;

  @Field(() => Int, { description: 'Number of questions whose answers are stored or in progress.' })
  readonly stored!: number;

  @Field(() => Int, { description: 'Scenes that cannot be processed, such as those with too many windows.' })
  readonly impossible!: number;
}

@ObjectType('Job', { implements: NodeType, description: 'A group of runs over many scenes.' })
export class JobType extends NodeType {
  @Field(() => SegmentationStateEnum, {
    description:
      'SUCCEEDED when all runs succeeded, FAILED when a scene or a run failed. Only `retryJob` changes a final state.',
  })
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => Boolean, { description: 'Whether the job is paused: no further scene starts until it is resumed.' })
  readonly paused!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether scenes are missing because the server ended while it listed them. Such a job becomes FAILED and starts no further scene; start a new one, which reuses its answers.',
  })
  readonly incomplete!: boolean;

  @Field(() => Int, { description: 'Number of scenes.' })
  readonly scenes!: number;

  @Field(() => Int, { description: 'Scenes that have not started.' })
  readonly pending!: number;

  @Field(() => Int, { description: 'Scenes that could not be registered or asked about.' })
  readonly failedScenes!: number;

  @Field(() => JobCountsType, { description: 'Runs of the job by state.' })
  readonly runs!: JobCountsType;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;
}

export const JobConnectionType = connectionTypes('Job', () => JobType);

@InputType('StacInput', { description: 'Images of a STAC catalogue.' })
export class StacInput {
  @Field(() => String, {
    description: 'Address of an Item, an ItemCollection, a Collection, a static Catalog or an API: `https://…`.',
  })
  url!: string;

  @Field(() => [String], { nullable: true, description: 'Identifiers of collections; all collections by default.' })
  collections?: string[];

  @Field(() => [Float], { nullable: true, description: '[west, south, east, north], WGS 84, that items intersect.' })
  bbox?: number[];

  @Field(() => String, {
    nullable: true,
    description: 'An instant or an interval `from/to`, RFC 3339, with `..` for an open end.',
  })
  datetime?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'JSON of the STAC query extension, such as `{"eo:cloud_cover": {"lt": 10}}`; evaluated by a STAC API only.',
  })
  query?: string;

  @Field(() => String, {
    nullable: true,
    description: 'Asset to read. Default: `visual`, otherwise one with red, green and blue bands, otherwise the data.',
  })
  assetKey?: string;

  @Field(() => Int, { nullable: true, defaultValue: 1000, description: 'Maximum number of items, 1 to 10000.' })
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
export class SegmentScenesInput extends QuestionsInput {
  @Field(() => SceneFilterInput, { nullable: true, description: 'Scenes that match at the moment; `{}` for all.' })
  filter?: SceneFilterInput;

  @Field(() => [ID], { nullable: true, description: 'Scenes by identifier, at most 10000.' })
  ids?: string[];

  @Field(() => StacInput, { nullable: true, description: 'Images of a STAC catalogue, which are registered first.' })
  stac?: StacInput;

  @Field(() => [String], { nullable: true, description: 'Addresses of images, which are registered first.' })
  urls?: string[];

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Asks again even if the same work is stored or in progress; otherwise that work is reused.',
  })
  force?: boolean;
}
