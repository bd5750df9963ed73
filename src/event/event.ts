import { z } from 'zod';
import { InvalidCursorError } from '../database/sql/cursor.ts';

/** Everything that the outbox records. */
export const EVENT_TYPES = [
  'scene.registered',
  'segmentation.queued',
  'segmentation.running',
  'segmentation.succeeded',
  'segmentation.failed',
  'segmentation.cancelled',
  'features.added',
  'features.reviewed',
  'features.deleted',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Place of an event in the order of commits. */
export interface EventPosition {
  /** Number of the transaction, decimal. */
  readonly transaction: string;
  readonly id: number;
}

/** What an event says; which members it has depends on its type. */
export const EventData = z.object({
  sceneId: z.string(),
  /** Of a scene. */
  name: z.string().optional(),
  /** Of everything but a scene. */
  segmentationId: z.string().optional(),
  prompt: z.string().optional(),
  state: z.string().optional(),
  failureCode: z.string().nullish(),
  featureCount: z.number().nullish(),
  /** Of reviewed features, and of the first thousand that were deleted. */
  featureIds: z.array(z.string()).optional(),
  /** Of a review. */
  status: z.string().optional(),
});
export type EventData = z.infer<typeof EventData>;

/** Something that happened to what is stored. */
export interface StoredEvent {
  readonly position: EventPosition;
  readonly type: EventType;
  /** Scene or segmentation; events of one object are sent in order. */
  readonly objectId: string;
  readonly data: EventData;
  readonly at: Date;
}

/** Events of one workspace; the port that the database implements. */
export interface EventStore {
  /** Position behind everything that has happened. */
  end(): Promise<EventPosition>;
  /**
   * Events behind a position, in order. None is left out that becomes visible later: events of transactions beside one that
   * is still running wait for its end.
   * @param limit most events
   */
  after(position: EventPosition, types: readonly EventType[], limit: number): Promise<StoredEvent[]>;
}

/** A position as clients keep it. */
export const cursorOf = ({ transaction, id }: EventPosition): string => `${transaction}-${id}`;

/** @throws {InvalidCursorError} */
export function positionOf(cursor: string): EventPosition {
  const [, transaction, id] = /^(\d{1,18})-(\d{1,15})$/.exec(cursor) ?? [];
  if (transaction === undefined || id === undefined) throw new InvalidCursorError(cursor);
  return { transaction, id: Number(id) };
}
