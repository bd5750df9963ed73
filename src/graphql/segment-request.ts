import type { GraphQLSchema } from 'graphql';
import type { SegmentRequest } from '../segmentation/segmentation.service.ts';
import { withoutNulls } from './absent-null.ts';
import { coercedInput } from './feature-request.ts';
import { areaOfInterest, type RequestLimits } from './request-limits.ts';
import type { SegmentInput } from './segmentation.type.ts';

/** What a client that sends `null` gets: the defaults that the schema prints. */
const SEGMENT_DEFAULTS = {
  task: 'REASONING',
  scale: 'AUTO',
  threshold: 0.5,
  minAreaM2: 0,
  waitS: 0,
  force: false,
} as const;

/** The request of a `SegmentInput`. @throws {InvalidGeometryError} */
export function toSegmentRequest(input: SegmentInput, limits: RequestLimits): SegmentRequest {
  const { areaOfInterest: area, ...request } = withoutNulls(input);
  return { ...SEGMENT_DEFAULTS, ...request, areaOfInterest: area ? areaOfInterest(area, limits) : null };
}

/** Reads a `SegmentInput` from JSON. @throws {BadInputError} for a value that the schema does not allow */
export type SegmentRequestReader = (value: unknown) => SegmentRequest;

export function segmentRequestReader(schema: GraphQLSchema, limits: RequestLimits): SegmentRequestReader {
  return (value) => toSegmentRequest(coercedInput(schema, 'SegmentInput', 'inputs', value) as SegmentInput, limits);
}
