import { createServer, type Server } from 'node:http';
import express, { type RequestHandler } from 'express';
import type { Metrics } from '../../telemetry/metrics.ts';

/** Answers with everything that the process measures, in Prometheus' text format. */
export function metricsPage(metrics: Metrics): RequestHandler {
  return async (_request, response) => {
    const text = await metrics.text();
    response.set('Content-Type', metrics.contentType).send(text);
  };
}

/** What the port of its own serves. */
export interface Observed {
  readonly metrics: Metrics;
  /** Whether the database answers and the default model is loaded. */
  readiness(): Promise<{ readonly database: boolean; readonly model: boolean }>;
}

/** `/metrics`, `/healthz` and `/readyz` of a process, for a port that only its operators reach. */
export function createMetricsServer(service: Observed): Server {
  const router = express();
  router.disable('x-powered-by');
  router.get('/metrics', metricsPage(service.metrics));
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  router.get('/readyz', async (_request, response) => {
    const readiness = await service.readiness();
    response.status(readiness.database && readiness.model ? 200 : 503).json(readiness);
  });
  return createServer(router);
}
