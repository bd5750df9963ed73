import { createServer } from 'node:http';
import { z } from 'zod';
import { listen } from '../../src/http/listen.ts';

const Attribute = z.object({
  key: z.string(),
  value: z.object({ stringValue: z.string().optional(), intValue: z.coerce.number().optional() }).loose(),
});
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: z.array(Attribute).default([]),
});
const Traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(Attribute) }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

/** A span as a collector received it. */
export interface ReceivedSpan extends z.infer<typeof Span> {
  /** Process that sent it. */
  readonly pid: number | undefined;
}

/** An OpenTelemetry collector that takes OTLP over HTTP as JSON and keeps what it is sent. */
export async function startCollector(): Promise<{ url: string; spans: ReceivedSpan[]; stop(): Promise<void> }> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { resourceSpans } = Traces.parse(JSON.parse(Buffer.concat(parts).toString()));
      for (const { resource, scopeSpans } of resourceSpans) {
        const pid = resource.attributes.find(({ key }) => key === 'process.pid')?.value.intValue;
        spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, pid }))));
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const listening = await listen(server, '127.0.0.1', 0);
  return { url: listening.url, spans, stop: () => listening.stop(0) };
}
