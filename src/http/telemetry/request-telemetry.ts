import type { Request, RequestHandler } from 'express';
import type { Metrics } from '../../telemetry/metrics.ts';
import { beginSpan, currentTraceparent } from '../../telemetry/tracing.ts';

/**
 * Measures every request and puts it in a trace: that of the client's `traceparent`, else a new one. The answer names the
 * trace in `traceresponse`.
 * @see https://www.w3.org/TR/trace-context-2/#traceresponse-header
 */
export function requestTelemetry(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const { method } = request;
    const parent = request.get('traceparent');
    const span = beginSpan(method, { kind: 'server', parent, attributes: { 'http.request.method': method } });
    metrics.openRequests.inc();
    response.once('close', () => {
      const route = routeOf(request);
      const status = String(response.statusCode);
      metrics.openRequests.dec();
      metrics.requests.observe({ method, route, status }, (performance.now() - started) / 1000);
      span.rename(`${method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': response.statusCode });
      if (response.statusCode >= 500) span.fail(new Error(`status ${status}`));
      span.end();
    });
    span.run(() => {
      const traceparent = currentTraceparent();
      if (traceparent !== null) response.set('traceresponse', traceparent);
      next();
    });
  };
}

/** The pattern of the route that answered, so that a label has few values; `other` where none did. */
function routeOf({ route, baseUrl }: Request): string {
  // Routes that were passed over before it stay in `route`.
  if (baseUrl === '/graphql') return baseUrl;
  const path: unknown = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? `${baseUrl}${path}` : 'other';
}
