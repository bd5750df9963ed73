import { SEGMENTATION_TASKS } from '../inference/segmentation-model.ts';
import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { connectionTypes, NodeType } from './connection.ts';
import { DateTimeScalar, GeoJSONGeometryScalar } from './scalars.ts';
import { DateTimeRangeInput } from './scene.type.ts';
import { PROMPT_SEARCH } from './prompt-search.ts';
import { EMPTY_REASONS, SEGMENTATION_SCALES, SEGMENTATION_STATES } from '../segmentation/segmentation.ts';

export const SegmentationTaskEnum = enumOf(...SEGMENTATION_TASKS);
export const SegmentationScaleEnum = enumOf(...SEGMENTATION_SCALES);
export const SegmentationStateEnum = enumOf(...SEGMENTATION_STATES);
export const EmptyReasonEnum = enumOf(...EMPTY_REASONS);

registerEnumType(SegmentationTaskEnum, {
  name: 'SegmentationTask',
  description: 'How to interpret a prompt.',
  valuesConfig: {
    REASONING: { description: 'The prompt describes what to find indirectly; the model infers it.' },
    REFERRING: { description: 'The prompt names what to find.' },
  },
});
registerEnumType(SegmentationScaleEnum, {
  name: 'SegmentationScale',
  description: 'Scale at which the model sees the scene.',
  valuesConfig: {
    WHOLE: { description: 'The whole scene, letterboxed into one window, as in the paper.' },
    WINDOWS: { description: 'Overlapping windows at `gsdM`, or at the native resolution by default.' },
    AUTO: { description: 'WHOLE where the model knows the resulting resolution, otherwise WINDOWS.' },
  },
});
registerEnumType(SegmentationStateEnum, {
  name: 'SegmentationState',
  description: 'State of a segmentation.',
  valuesConfig: {
    QUEUED: { description: 'Waiting for a worker.' },
    RUNNING: { description: 'A worker is working on it.' },
    SUCCEEDED: { description: 'Finished; mask and features are stored, even when nothing was found.' },
    FAILED: { description: 'Failed after the last attempt; `failure` has the reason.' },
    CANCELLED: { description: 'Cancelled by a client.' },
  },
});
registerEnumType(EmptyReasonEnum, {
  name: 'EmptyReason',
  description: 'Why a finished segmentation found nothing.',
  valuesConfig: {
    NO_PIXEL_ABOVE_THRESHOLD: { description: 'No pixel reached the threshold.' },
    ALL_BELOW_MIN_AREA: { description: 'Every feature was smaller than `minAreaM2`.' },
    OUTSIDE_AREA_OF_INTEREST: { description: 'Pixels reached the threshold only outside the area of interest.' },
    NO_VALID_PIXELS: { description: 'The area has no valid pixels.' },
  },
});

@ObjectType('Progress', { description: 'Progress of a segmentation.' })
export class ProgressType {
  @Field(() => String, { description: 'One of queued, reading, encoding, reasoning, tracing, storing, done.' })
  readonly phase!: string;

  @Field(() => Int, { description: 'Windows that the model has answered.' })
  readonly windowsDone!: number;

  @Field(() => Int, { description: 'Windows of the whole run; 0 until they are planned.' })
  readonly windowsTotal!: number;

  @Field(() => Float, { description: 'Share of the windows that are done, 0 to 1.' })
  readonly fraction!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Estimated seconds remaining, from the windows so far; null when unknown.',
  })
  readonly etaS!: number | null;
}

@ObjectType('Failure', { description: 'Why a segmentation, or its last attempt, failed.' })
export class FailureType {
  @Field(() => String, { description: 'Stable error code in upper case, such as MODEL_UNAVAILABLE.' })
  readonly code!: string;

  @Field(() => String, { description: 'The reason in a sentence.' })
  readonly message!: string;

  @Field(() => Int, { description: 'Attempts so far.' })
  readonly attempts!: number;
}

@ObjectType('Mask', { description: 'The answer as pixels, on the grid of the scene.' })
export class MaskType {
  @Field(() => Int, { description: 'Width, pixels.' })
  readonly widthPx!: number;

  @Field(() => Int, { description: 'Height, pixels.' })
  readonly heightPx!: number;

  @Field(() => Float, { description: 'Number of pixels in the mask.' })
  readonly pixelCount!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic area of all features, square metres; null without georeference.',
  })
  readonly areaM2!: number | null;

  @Field(() => Float, { description: 'Mean probability over the pixels of the mask, 0 to 1.' })
  readonly meanProbability!: number;

  @Field(() => [Float], {
    complexity: 10,
    description:
      'COCO run lengths in column-major order, beginning with pixels outside the mask; whole numbers that may exceed 2³¹.',
  })
  readonly counts!: readonly number[];
}

@ObjectType('Segmentation', { implements: NodeType, description: 'One question about one scene, and its answer.' })
export class SegmentationType extends NodeType {
  @Field(() => String, { description: 'The question in plain words.' })
  readonly prompt!: string;

  @Field(() => SegmentationTaskEnum, { description: 'How the prompt is interpreted.' })
  readonly task!: keyof typeof SegmentationTaskEnum;

  @Field(() => Float, { description: 'Probability from which a pixel belongs to the mask.' })
  readonly threshold!: number;

  @Field(() => SegmentationStateEnum, { description: 'State of the run.' })
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => Boolean, { nullable: true, description: 'Whether anything was found; null until SUCCEEDED.' })
  readonly targetFound!: boolean | null;

  @Field(() => EmptyReasonEnum, {
    nullable: true,
    description: 'Why nothing was found; null unless `targetFound` is false.',
  })
  readonly emptyReason!: keyof typeof EmptyReasonEnum | null;

  @Field(() => Int, { description: 'Number of features found.' })
  readonly featureCount!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic area of all features, square metres; null without georeference.',
  })
  readonly areaM2!: number | null;

  @Field(() => Boolean, {
    description:
      'Whether its features are compared with those of all earlier answers of the scene, which a worker does after it stored them; false until SUCCEEDED. Until then `neighbourCount` and sums of borders lack pairs with them, while `neighbours`, `adjacentTo` and `adjacency` measure those.',
  })
  readonly compared!: boolean;

  @Field(() => DateTimeScalar, { description: 'When the question was asked.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the first attempt started; null before.' })
  readonly startedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the segmentation reached its final state; null before.',
  })
  readonly finishedAt!: Date | null;

  @Field(() => FailureType, {
    nullable: true,
    description: 'Why it FAILED; while it is QUEUED, why the last attempt failed.',
  })
  readonly failure!: FailureType | null;
}

export const SegmentationConnectionType = connectionTypes('Segmentation', () => SegmentationType);

/** What questions of one scene and of many have in common. */
@InputType()
export abstract class QuestionsInput {
  @Field(() => [String], { description: 'Questions in plain words.' })
  prompts!: string[];

  @Field(() => SegmentationTaskEnum, {
    nullable: true,
    defaultValue: 'REASONING',
    description: 'How to interpret the prompts.',
  })
  task?: keyof typeof SegmentationTaskEnum;

  @Field(() => ID, {
    nullable: true,
    description: 'Model as `name` or `name/version`; the default model if omitted.',
  })
  modelId?: string;

  @Field(() => SegmentationScaleEnum, {
    nullable: true,
    defaultValue: 'AUTO',
    description: 'Scale at which the model sees a scene.',
  })
  scale?: keyof typeof SegmentationScaleEnum;

  @Field(() => Float, {
    nullable: true,
    description: 'Ground sample distance at which the model sees the scene, metres per pixel.',
  })
  gsdM?: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0.5,
    description: 'Probability from which a pixel belongs to the mask, 0 to 1.',
  })
  threshold?: number;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0,
    description: 'Features smaller than this area are dropped, square metres.',
  })
  minAreaM2?: number;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Polygon or MultiPolygon; pixels outside it are not part of the question.',
  })
  areaOfInterest?: object;
}

@InputType('SegmentInput', { description: 'Questions about one scene, one segmentation per prompt.' })
export class SegmentInput extends QuestionsInput {
  @Field(() => ID, { description: 'Scene to ask about.' })
  sceneId!: string;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 0,
    description: 'Seconds to wait for the answer before returning, at most 600.',
  })
  waitS?: number;

  @Field(() => String, {
    nullable: true,
    description:
      'For 24 hours, a second call with the same key and arguments returns the result of the first; with other arguments it is refused.',
  })
  idempotencyKey?: string;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Asks again even if the same work is stored or in progress; otherwise that work is returned.',
  })
  force?: boolean;
}

@InputType('SegmentationFilter', { description: 'Conditions on segmentations; all of them must hold.' })
export class SegmentationFilterInput {
  @Field(() => ID, { nullable: true, description: 'Scene that was asked about.' })
  sceneId?: string;

  @Field(() => SegmentationStateEnum, { nullable: true, description: 'State of the run.' })
  state?: keyof typeof SegmentationStateEnum;

  @Field(() => String, { nullable: true, description: PROMPT_SEARCH })
  promptContains?: string;

  @Field(() => ID, { nullable: true, description: 'Model as `name/version`.' })
  modelId?: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether anything was found; matches only SUCCEEDED segmentations.',
  })
  targetFound?: boolean;

  @Field(() => DateTimeRangeInput, { nullable: true, description: 'When the question was asked.' })
  created?: DateTimeRangeInput;
}
