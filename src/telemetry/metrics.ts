import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Values read at each scrape, named as their parts are. */
export interface Sampled {
  readonly queue: () => Promise<{ readonly queued: number; readonly running: number; readonly oldestQueuedS: number }>;
  readonly connections: () => readonly PoolUse[];
  readonly models: () => readonly { readonly model: string; readonly isReady: boolean; readonly pauseS: number }[];
  readonly caches: () => readonly CacheUse[];
}

export interface PoolUse {
  readonly pool: string;
  readonly busy: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

export interface CacheUse {
  readonly cache: string;
  readonly hits: number;
  readonly misses: number;
  readonly bytes: number;
}

/** Seconds: from a cached answer to a scene that is read for minutes. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const STATEMENT_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
const WINDOW_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const RUN_BUCKETS = [1, 5, 15, 60, 300, 900, 3600, 14_400];

/** Named `_total` though they are gauges, which Prometheus' own linter refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** What a process measures of itself, for Prometheus. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly in = { registers: [this.registry] };

  readonly requests = new Histogram({
    ...this.in,
    name: 'terraql_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
  });
  readonly openRequests = new Gauge({
    ...this.in,
    name: 'terraql_http_requests_open',
    help: 'Requests that are being answered.',
  });
  readonly operations = new Counter({
    ...this.in,
    name: 'terraql_graphql_operations_total',
    help: 'GraphQL operations, by type and by the code of their first error (ok without an error).',
    labelNames: ['type', 'code'],
  });
  readonly statements = new Histogram({
    ...this.in,
    name: 'terraql_database_statement_duration_seconds',
    help: 'Time of a database statement, including waiting for a connection.',
    buckets: STATEMENT_BUCKETS,
  });
  readonly runs = new Histogram({
    ...this.in,
    name: 'terraql_run_duration_seconds',
    help: 'Time of an attempt at a batch of prompts, by outcome.',
    labelNames: ['outcome'],
    buckets: RUN_BUCKETS,
  });
  readonly windows = new Counter({
    ...this.in,
    name: 'terraql_windows_total',
    help: 'Windows answered, by origin of the answer: the model, or an earlier attempt.',
    labelNames: ['source'],
  });
  readonly modelRequests = new Histogram({
    ...this.in,
    name: 'terraql_model_request_duration_seconds',
    help: 'Time of a request to a model, by outcome.',
    labelNames: ['model', 'outcome'],
    buckets: WINDOW_BUCKETS,
  });

  constructor(sampled: Sampled) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    this.sampleQueue(sampled.queue);
    this.sampleConnections(sampled.connections);
    this.sampleModels(sampled.models);
    this.sampleCaches(sampled.caches);
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private sampleQueue(queue: Sampled['queue']): void {
    const segmentations = new Gauge({
      ...this.in,
      name: 'terraql_queue_segmentations',
      help: 'Unfinished segmentations of all processes on this database, by state.',
      labelNames: ['state'],
      collect: async () => {
        const { queued, running, oldestQueuedS } = await queue();
        segmentations.set({ state: 'queued' }, queued);
        segmentations.set({ state: 'running' }, running);
        oldest.set(oldestQueuedS);
      },
    });
    const oldest = new Gauge({
      ...this.in,
      name: 'terraql_queue_oldest_seconds',
      help: 'Age of the oldest queued segmentation; 0 when none is queued.',
    });
  }

  private sampleConnections(connections: Sampled['connections']): void {
    const gauge = new Gauge({
      ...this.in,
      name: 'terraql_database_connections',
      help: 'Connections of a pool, by state; waiting counts callers without one. Empty on the embedded engine.',
      labelNames: ['pool', 'state'],
      collect: () => {
        for (const { pool, busy, idle, waiting } of connections()) {
          gauge.set({ pool, state: 'busy' }, busy);
          gauge.set({ pool, state: 'idle' }, idle);
          gauge.set({ pool, state: 'waiting' }, waiting);
        }
      },
    });
  }

  private sampleModels(models: Sampled['models']): void {
    const ready = new Gauge({
      ...this.in,
      name: 'terraql_model_ready',
      help: '1 when a model is loaded and can answer.',
      labelNames: ['model'],
      collect: () => {
        for (const { model, isReady, pauseS } of models()) {
          ready.set({ model }, Number(isReady));
          pause.set({ model }, pauseS);
        }
      },
    });
    const pause = new Gauge({
      ...this.in,
      name: 'terraql_model_pause_seconds',
      help: 'Time until a failed model is tried again; 0 while it works.',
      labelNames: ['model'],
    });
  }

  private sampleCaches(caches: Sampled['caches']): void {
    const bytes = new Gauge({
      ...this.in,
      name: 'terraql_cache_bytes',
      help: 'Size of the contents of a cache.',
      labelNames: ['cache'],
    });
    const lookups = new Counter({
      ...this.in,
      name: 'terraql_cache_lookups_total',
      help: 'Look-ups in a cache, by result.',
      labelNames: ['cache', 'result'],
      collect: () => {
        lookups.reset();
        for (const use of caches()) {
          lookups.inc({ cache: use.cache, result: 'hit' }, use.hits);
          lookups.inc({ cache: use.cache, result: 'miss' }, use.misses);
          bytes.set({ cache: use.cache }, use.bytes);
        }
      },
    });
  }
}
