import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LocalModel, LocalModelStats } from '../inference/local-model.ts';
import type { BatchReport } from '../inference/window-queue.ts';

/** Seconds, from a warm window of the compact model to a cold one of the full-size model on a processor. */
const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const QUESTIONS = [1, 2, 4, 8, 16, 32];

/** Metrics of `/metrics`, in the Prometheus text format. */
export class ModelMetrics {
  readonly registry = new Registry();
  private readonly requests: Counter<'model' | 'status'>;
  private readonly requestSeconds: Histogram<'model'>;
  private readonly batchQuestions: Histogram<'model'>;
  private readonly batchSeconds: Histogram<'model'>;

  /** @param models returns the loaded models; called at each scrape */
  constructor(private readonly models: () => readonly LocalModel[]) {
    const registers = [this.registry];
    this.requests = new Counter({
      name: 'terraql_model_requests_total',
      help: 'Requests for inference by HTTP status',
      labelNames: ['model', 'status'],
      registers,
    });
    this.requestSeconds = new Histogram({
      name: 'terraql_model_request_seconds',
      help: 'From the first byte of an answered request to the last of its answer',
      labelNames: ['model'],
      buckets: SECONDS,
      registers,
    });
    this.batchQuestions = new Histogram({
      name: 'terraql_model_batch_questions',
      help: 'Questions answered together on one window',
      labelNames: ['model'],
      buckets: QUESTIONS,
      registers,
    });
    this.batchSeconds = new Histogram({
      name: 'terraql_model_batch_seconds',
      help: 'Computing time of a batch',
      labelNames: ['model'],
      buckets: SECONDS,
      registers,
    });
    this.gauge('waiting_requests', 'Requests waiting for a worker', ({ waiting }) => waiting);
    this.gauge(
      'running_windows',
      'Unanswered windows of the workers: the current one and, shortly before its end, the next',
      ({ running }) => running,
    );
    this.gauge('image_cache_bytes', 'Memory of the image cache', ({ cache }) => cache.bytes);
    this.gauge('image_cache_windows', 'Windows in the image cache', ({ cache }) => cache.windows);
    this.total('onnx_seconds_total', 'Computing time inside ONNX Runtime', ({ onnxMs }) => onnxMs / 1000);
    this.total('image_cache_hits_total', 'Batches on a cached window', ({ cache }) => cache.hits);
    this.total('image_cache_misses_total', 'Batches on a window that had to be encoded', ({ cache }) => cache.misses);
    this.total('image_cache_evictions_total', 'Windows evicted from the image cache', ({ cache }) => cache.evictions);
    collectDefaultMetrics({ register: this.registry });
  }

  readonly onBatch = (model: string, { questions, durationMs }: BatchReport): void => {
    this.batchQuestions.observe({ model }, questions);
    this.batchSeconds.observe({ model }, durationMs / 1000);
  };

  /** Counts an answered request. */
  onRequest(model: string, status: number, durationMs: number): void {
    this.requests.inc({ model, status: String(status) });
    this.requestSeconds.observe({ model }, durationMs / 1000);
  }

  private gauge(name: string, help: string, read: (stats: LocalModelStats) => number): void {
    const { models } = this;
    const gauge = new Gauge({
      name: `terraql_model_${name}`,
      help,
      labelNames: ['model'],
      registers: [],
      collect() {
        for (const { info, stats } of models()) this.set({ model: info.id }, read(stats));
      },
    });
    this.registry.registerMetric(gauge);
  }

  /** A counter whose value is kept elsewhere. */
  private total(name: string, help: string, read: (stats: LocalModelStats) => number): void {
    const { models } = this;
    const counter = new Counter({
      name: `terraql_model_${name}`,
      help,
      labelNames: ['model'],
      registers: [],
      collect() {
        this.reset();
        for (const { info, stats } of models()) this.inc({ model: info.id }, read(stats));
      },
    });
    this.registry.registerMetric(counter);
  }
}
