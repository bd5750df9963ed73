import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Where spans go; see https://opentelemetry.io/docs/specs/otel/protocol/exporter/. */
export interface TracingOptions {
  /** Base URL of an OTLP collector that takes HTTP, such as `http://localhost:4318`. */
  readonly endpoint: string;
  /** `service.name` of the spans. */
  readonly serviceName: string;
}

/** Names what begins a span, and how. */
export interface SpanStart {
  readonly attributes?: Attributes;
  readonly kind?: 'server' | 'consumer';
  /** W3C `traceparent` of a span in another process; the active span otherwise. */
  readonly parent?: string | null | undefined;
}

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER };

/** Without {@link startTracing} the tracer makes spans that record nothing. */
const tracer = () => trace.getTracer('terraql');

/**
 * Records spans and sends them to a collector. The SDK is loaded here, since it takes longer to load than most commands take.
 * @returns sends what is left and stops
 */
export async function startTracing({ endpoint, serviceName }: TracingOptions): Promise<() => Promise<void>> {
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'process.pid': process.pid }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  return async () => {
    // A collector that is down must not keep the process from ending with its own exit status.
    await provider.shutdown().catch(() => undefined);
    trace.disable();
    context.disable();
    propagation.disable();
  };
}

/** Runs work in a span of its own; what the work starts belongs to that span. @throws what the work throws */
export function inSpan<T>(name: string, start: SpanStart, work: () => Promise<T>): Promise<T> {
  const span = beginSpan(name, start);
  return span.run(async () => {
    try {
      return await work();
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span that ends on an event rather than with a function. */
export interface OpenSpan {
  run<T>(work: () => T): T;
  set(attributes: Attributes): void;
  rename(name: string): void;
  fail(this: void, error: unknown): void;
  end(this: void): void;
}

export function beginSpan(name: string, { attributes = {}, kind, parent }: SpanStart): OpenSpan {
  const above = typeof parent === 'string' ? contextOf(parent) : context.active();
  const span = tracer().startSpan(name, { attributes, ...(kind ? { kind: KINDS[kind] } : {}) }, above);
  return {
    run: (work) => context.with(trace.setSpan(above, span), work),
    set: (more) => void span.setAttributes(more),
    rename: (renamed) => void span.updateName(renamed),
    fail: (error) => recordFailure(span, error),
    end: () => span.end(),
  };
}

function recordFailure(span: Span, error: unknown): void {
  const cause = error instanceof Error ? error : new Error(String(error));
  span.recordException(cause);
  span.setStatus({ code: SpanStatusCode.ERROR, message: cause.message });
}

const contextOf = (traceparent: string) => propagation.extract(ROOT_CONTEXT, { traceparent });

/** W3C `traceparent` of the active span; null where nothing is traced. @see https://www.w3.org/TR/trace-context/ */
export function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}

/** Identifier of the active trace, 32 hexadecimal digits; null where nothing is traced. */
export function currentTraceId(): string | null {
  return currentTraceparent()?.split('-')[1] ?? null;
}

/** Adds to the active span, if there is one. */
export function annotateSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Fields of a log line that lead to its trace. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const [, traceId, spanId] = currentTraceparent()?.split('-') ?? [];
  return traceId === undefined || spanId === undefined ? {} : { trace_id: traceId, span_id: spanId };
}
