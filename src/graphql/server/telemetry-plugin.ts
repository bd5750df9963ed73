import type { ApolloServerPlugin } from '@apollo/server';
import { annotateSpan, currentTraceId } from '../../telemetry/tracing.ts';
import type { RequestContext } from '../context.ts';

/** Counts operations, names them in the trace of their request, and reports the trace in `extensions.traceId`. */
export function telemetryPlugin(
  onOperation: (type: string, code: string) => void = () => undefined,
): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ response: { body }, operation, operationName }) {
          if (body.kind !== 'single') return;
          const { singleResult } = body;
          const type = operation?.operation ?? 'unknown';
          const [error] = singleResult.errors ?? [];
          const code = error?.extensions?.['code'];
          onOperation(type, error ? (typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR') : 'ok');
          annotateSpan({ 'graphql.operation.type': type, 'graphql.operation.name': operationName ?? '' });
          const traceId = currentTraceId();
          if (traceId !== null) singleResult.extensions = { ...singleResult.extensions, traceId };
        },
      };
    },
  };
}
