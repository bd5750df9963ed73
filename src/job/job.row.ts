import { z } from 'zod';
import type { Job } from './job.ts';

const count = z.coerce.number();
/** A job, and what its scenes and runs have come to. */
export const JobRow = z
  .object({
    id: z.string(),
    paused: z.boolean(),
    isListed: z.boolean(),
    incomplete: z.boolean(),
    cancelled: z.boolean(),
    createdAt: z.date(),
    elapsedS: count,
    scenes: count,
    pending: count,
    failedScenes: count,
    queued: count,
    running: count,
    succeeded: count,
    failed: count,
    cancelledRuns: count,
    reused: count,
    windowsTotal: count,
    windowsDone: count,
    windowsReused: count,
  })
  .transform(jobOf);

interface CountedJob extends Omit<Job, 'state' | 'runs' | 'etaS'> {
  readonly isListed: boolean;
  readonly cancelled: boolean;
  readonly elapsedS: number;
  readonly queued: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelledRuns: number;
  readonly reused: number;
  readonly windowsReused: number;
}

function jobOf(row: CountedJob): Job {
  const { id, paused, incomplete, createdAt, scenes, pending, failedScenes, windowsTotal, windowsDone } = row;
  const { queued, running, succeeded, failed, cancelledRuns: cancelled, reused } = row;
  const open = (incomplete ? 0 : pending) + queued + running;
  const begun = scenes - pending;
  const ended = incomplete || failed + failedScenes > 0 ? 'FAILED' : 'SUCCEEDED';
  const isDone = open === 0 && (row.isListed || incomplete);
  const state = row.cancelled ? 'CANCELLED' : isDone ? ended : begun === 0 ? 'QUEUED' : 'RUNNING';
  const own = windowsDone - row.windowsReused;
  const etaS = open > 0 && own > 0 && !paused ? (row.elapsedS / own) * (windowsTotal - windowsDone) : null;
  const runs = { queued, running, succeeded, failed, cancelled, reused };
  return {
    id,
    state,
    paused,
    incomplete,
    scenes,
    pending,
    failedScenes,
    runs,
    windowsTotal,
    windowsDone,
    etaS,
    createdAt,
  };
}
