import type { Config } from './config.ts';
import type { Logger } from './logging.ts';
import { ExportWorker } from './export/export-worker.ts';
import { ExportQueueRepository } from './export/stored-export.repository.ts';
import { DEFAULT_VIEWER } from './identity/viewer.ts';
import { JobFeeder } from './job/job-feeder.ts';
import { JobRepository } from './job/job.repository.ts';
import type { ModelCircuits } from './run/model-circuits.ts';
import type { RunMetrics } from './run/run-metrics.ts';
import { dropLeftoverWindows } from './run/kept-windows.ts';
import { SegmentationWorker } from './run/segmentation-worker.ts';
import { DueRepository } from './retention/due.repository.ts';
import { type RetentionPolicy, RetentionWorker } from './retention/retention-worker.ts';
import { BlobSweeper } from './scene/blob-sweeper.ts';
import { StoredBlobsRepository } from './scene/stored-blobs.repository.ts';
import type { SegmentationRepository } from './segmentation/segmentation.repository.ts';
import type { Services, ServicesFor } from './services.ts';
import { type SharedParts, uploadsOver } from './shared-services.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** What background work is made of, beside what all viewers share. */
export interface BackgroundParts {
  readonly shared: SharedParts;
  readonly servicesFor: ServicesFor;
  readonly store: SegmentationRepository;
  readonly circuits: ModelCircuits;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** What a process does without being asked: runs, exports and jobs unless others do them, and sweeping. */
export class BackgroundWork {
  private readonly sweeper: BlobSweeper;
  private readonly runs: SegmentationWorker | null = null;
  private readonly exports: ExportWorker | null = null;
  private readonly jobs: JobFeeder | null = null;
  private readonly retention: RetentionWorker | null = null;

  constructor(private readonly parts: BackgroundParts) {
    const { shared, servicesFor, store, circuits, metrics, logger } = parts;
    const { config, database, blobs, models, usage } = shared;
    const of = (workspace: string): Services => servicesFor({ ...DEFAULT_VIEWER, workspace });
    this.sweeper = new BlobSweeper(blobs, uploadsOver(shared), new StoredBlobsRepository(database.forRuns), logger);
    if (config.TERRAQL_WORKER === 'off') return;
    const scenesOf = (workspace: string): Services['scenes'] => of(workspace).scenes;
    const roomOf = (workspace: string): Services['quotas'] => of(workspace).quotas;
    this.runs = new SegmentationWorker(
      { store, scenesOf, models, circuits, blobs, logger, metrics: runMetrics(metrics), usage, roomOf },
      { nearM: config.TERRAQL_NEAR_M, maxWindows: config.TERRAQL_MAX_WINDOWS, runs: config.TERRAQL_RUNS },
    );
    const queue = new ExportQueueRepository(database.forRuns);
    const exportsOf = (workspace: string): Services['exports'] => of(workspace).exports;
    this.exports = new ExportWorker({
      queue,
      exportsOf,
      tilesOf: (workspace, filter) => of(workspace).featureTiles.pyramid(filter),
      blobs,
      logger,
      usage,
    });
    this.jobs = new JobFeeder(new JobRepository(database.forRuns), of, logger);
    const dropWindows = (): Promise<void> => dropLeftoverWindows(blobs, store);
    this.retention = new RetentionWorker(
      { due: new DueRepository(database.forRuns), blobs, dropWindows, logger },
      retentionPolicy(config),
    );
  }

  /** Resumes unfinished runs, and continues with the queue. */
  async start(): Promise<void> {
    await this.runs?.start();
    this.exports?.start();
    this.jobs?.start();
    this.retention?.start();
    this.sweeper.start();
  }

  /** Looks for an export that waits. */
  wakeExports(): void {
    this.exports?.wake();
  }

  /** Puts current runs back in the queue, and takes no more. */
  async stopRuns(): Promise<void> {
    this.parts.shared.database.announceClose();
    // At once: what one of them stores holds up the embedded engine, and with it the others.
    await Promise.all([this.runs?.close(), this.exports?.close(), this.jobs?.close(), this.retention?.close()]);
  }

  async close(): Promise<void> {
    await this.stopRuns();
    await this.sweeper.close();
  }
}

/** How long the settings say that things are kept. */
export function retentionPolicy(config: Config): RetentionPolicy {
  return {
    imagesDays: config.TERRAQL_KEEP_IMAGES_DAYS,
    answersDays: config.TERRAQL_KEEP_ANSWERS_DAYS,
    scenesDays: config.TERRAQL_KEEP_SCENES_DAYS,
    deletionsDays: config.TERRAQL_KEEP_DELETIONS_DAYS,
  };
}

function runMetrics({ runs, windows, modelRequests }: Metrics): RunMetrics {
  return {
    runEnded: (outcome, durationMs) => runs.observe({ outcome }, durationMs / 1000),
    windowAnswered: (source) => windows.inc({ source }),
    modelAnswered: (model, outcome, durationMs) => modelRequests.observe({ model, outcome }, durationMs / 1000),
  };
}
