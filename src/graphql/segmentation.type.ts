import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar, GeoJSONGeometryScalar } from './scalars.ts';
import { DateTimeRangeInput } from './scene.type.ts';
import { PROMPT_SEARCH } from './prompt-search.ts';
import {
  EMPTY_REASONS,
  SEGMENTATION_SCALES,
  SEGMENTATION_STATES,
  SEGMENTATION_TASKS,
} from '../segmentation/segmentation.ts';

export const SegmentationTaskEnum = enumOf(...SEGMENTATION_TASKS);
export const SegmentationScaleEnum = enumOf(...SEGMENTATION_SCALES);
export const SegmentationStateEnum = enumOf(...SEGMENTATION_STATES);
export const EmptyReasonEnum = enumOf(...EMPTY_REASONS);

registerEnumType(SegmentationTaskEnum, {
  name: 'SegmentationTask',
  description: 'REASONING: what to find must be inferred. REFERRING: the prompt names it.',
});
registerEnumType(SegmentationScaleEnum, {
  name: 'SegmentationScale',
  description:
    'WHOLE: the scene letterboxed into one window, as in the paper. WINDOWS: overlapping windows at gsdM (default: native). AUTO: WHOLE where that keeps a resolution that the model knows, else WINDOWS.',
});
registerEnumType(SegmentationStateEnum, { name: 'SegmentationState' });
registerEnumType(EmptyReasonEnum, { name: 'EmptyReason', description: 'Why a finished segmentation found nothing.' });

@ObjectType('Progress')
export class ProgressType {
  @Field(() => String, { description: 'queued, reading, encoding, reasoning, tracing, storing, done' })
  readonly phase!: string;

  @Field(() => Int)
  readonly windowsDone!: number;

  @Field(() => Int)
  readonly windowsTotal!: number;

  @Field(() => Float)
  readonly fraction!: number;

  @Field(() => Float, { nullable: true, description: 'Seconds to go, from the windows so far.' })
  readonly etaS!: number | null;
}

@ObjectType('Failure')
export class FailureType {
  @Field(() => String)
  readonly code!: string;

  @Field(() => String)
  readonly message!: string;

  @Field(() => Int)
  readonly attempts!: number;
}

@ObjectType('Mask', { description: 'The answer as pixels, in the frame of the scene.' })
export class MaskType {
  @Field(() => Int)
  readonly widthPx!: number;

  @Field(() => Int)
  readonly heightPx!: number;

  @Field(() => Float)
  readonly pixelCount!: number;

  @Field(() => Float, { nullable: true })
  readonly areaM2!: number | null;

  @Field(() => Float)
  readonly meanProbability!: number;

  @Field(() => [Int], { description: 'COCO run lengths, column-major.', complexity: 10 })
  readonly counts!: readonly number[];
}

@ObjectType('Segmentation', { implements: NodeType, description: 'One question about one scene, and its answer.' })
export class SegmentationType extends NodeType {
  @Field(() => String)
  readonly prompt!: string;

  @Field(() => SegmentationTaskEnum)
  readonly task!: keyof typeof SegmentationTaskEnum;

  @Field(() => Float)
  readonly threshold!: number;

  @Field(() => SegmentationStateEnum)
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => Boolean, { nullable: true, description: 'Whether anything was found; null until SUCCEEDED.' })
  readonly targetFound!: boolean | null;

  @Field(() => EmptyReasonEnum, { nullable: true })
  readonly emptyReason!: keyof typeof EmptyReasonEnum | null;

  @Field(() => Int)
  readonly featureCount!: number;

  @Field(() => Float, { nullable: true, description: 'Geodesic area of all features.' })
  readonly areaM2!: number | null;

  @Field(() => DateTimeScalar)
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly finishedAt!: Date | null;

  @Field(() => FailureType, {
    nullable: true,
    description: 'Why it FAILED; while it is QUEUED, why the last attempt ended, as MODEL_UNAVAILABLE.',
  })
  readonly failure!: FailureType | null;
}

export const SegmentationConnectionType = connectionTypes('Segmentation', () => SegmentationType);

@InputType('SegmentInput')
export class SegmentInput {
  @Field(() => ID)
  sceneId!: string;

  @Field(() => [String])
  prompts!: string[];

  @Field(() => SegmentationTaskEnum, { nullable: true, defaultValue: 'REASONING' })
  task?: keyof typeof SegmentationTaskEnum;

  @Field(() => ID, { nullable: true, description: '`name` or `name/version`; the default model when absent.' })
  modelId?: string;

  @Field(() => SegmentationScaleEnum, { nullable: true, defaultValue: 'AUTO' })
  scale?: keyof typeof SegmentationScaleEnum;

  @Field(() => Float, { nullable: true, description: 'Ground size of a pixel to show the model, metres.' })
  gsdM?: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0.5,
    description: 'Probability from which a pixel belongs to the mask.',
  })
  threshold?: number;

  @Field(() => Float, { nullable: true, defaultValue: 0, description: 'Smaller features are dropped, square metres.' })
  minAreaM2?: number;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Polygon or MultiPolygon; pixels outside are not asked about.',
  })
  areaOfInterest?: object;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0,
    description: 'Seconds to wait for the answer before returning, at most 600.',
  })
  waitS?: number;

  @Field(() => String, {
    nullable: true,
    description:
      'For 24 hours a second call with the same key and arguments returns what the first returned; with other arguments it is refused.',
  })
  idempotencyKey?: string;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Asks again although the same work is stored or under way, which otherwise is returned.',
  })
  force?: boolean;
}

@InputType('SegmentationFilter', { description: 'Every condition given must hold.' })
export class SegmentationFilterInput {
  @Field(() => ID, { nullable: true })
  sceneId?: string;

  @Field(() => SegmentationStateEnum, { nullable: true })
  state?: keyof typeof SegmentationStateEnum;

  @Field(() => String, { nullable: true, description: PROMPT_SEARCH })
  promptContains?: string;

  @Field(() => ID, { nullable: true })
  modelId?: string;

  @Field(() => Boolean, { nullable: true })
  targetFound?: boolean;

  @Field(() => DateTimeRangeInput, { nullable: true })
  created?: DateTimeRangeInput;
}
