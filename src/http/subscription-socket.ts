import type { IncomingMessage, Server } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { CheckedSubscription } from '../graphql/server/subscriptions.ts';
import type { HttpService } from './http-service.ts';
import type { Outlet } from './outlet.ts';

const PATH = '/graphql';
/** Longest message that a client may send. */
const MAX_MESSAGE_BYTES = 1024 ** 2;

/**
 * Serves subscriptions by the protocol `graphql-transport-ws` on the path of the other operations. They end when the
 * server says that it is `stopping`, which a connection that is open for good would otherwise hold up.
 * @see https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export function serveSubscriptions(server: Server, service: HttpService, outlet: Outlet): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  const serving = useServer<never, { request: IncomingMessage }>(
    {
      onSubscribe: ({ extra: { request } }, _id, payload) =>
        service.subscriptions.check(payload, () =>
          service.contextFor(outlet.viewerOf(request), outlet.baseUrlOf(request)),
        ),
      subscribe: (checked) => service.subscriptions.subscribe(checked as CheckedSubscription),
    },
    sockets,
  );
  server.on('upgrade', (request, socket, head) => {
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== PATH) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });
  server.once('stopping', () => void serving.dispose());
}
