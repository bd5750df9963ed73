import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { CheckedSubscription } from '../graphql/server/subscriptions.ts';
import { upgradeWebSockets } from '../http-listener.ts';
import type { HttpService } from './http-service.ts';
import type { Outlet } from './outlet.ts';
import { SocketViewers } from './socket-viewers.ts';

const PATH = '/graphql';
/** Longest message that a client may send. */
const MAX_MESSAGE_BYTES = 1024 ** 2;
/** Sockets that do not close when the server stops are cut after this time. */
const CLOSE_MS = 2000;

/** What clients may hold of the service by sockets. */
export interface SocketLimits {
  readonly maxSockets: number;
  readonly maxSubscriptionsPerSocket: number;
  /** Between pings; a socket that does not answer one before the next is due is cut. */
  readonly pingMs: number;
  /** Between looks at the credential of a socket: once it is revoked or has expired, the socket is closed. */
  readonly recheckMs: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  maxSockets: 500,
  maxSubscriptionsPerSocket: 100,
  pingMs: 12_000,
  recheckMs: 15_000,
};

/**
 * Serves subscriptions by the protocol `graphql-transport-ws` on the path of the other operations. They end when the
 * server says that it is `stopping`, which an open connection would otherwise hold up.
 * @see https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export function serveSubscriptions(server: Server, service: HttpService, outlet: Outlet, limits: SocketLimits): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const viewers = new SocketViewers(service, limits.recheckMs);
  const serving = useServer<Record<string, unknown>, { request: IncomingMessage; socket: WebSocket }>(
    {
      onConnect: ({ extra: { request, socket }, connectionParams }) =>
        viewers.connect(socket, request, connectionParams),
      onSubscribe: ({ extra: { request, socket }, subscriptions }, _id, payload) => {
        // Counted first: a refused subscription is neither parsed nor run.
        if (Object.keys(subscriptions).length > limits.maxSubscriptionsPerSocket) return [tooMany(limits)];
        const viewer = viewers.viewerOf(socket);
        return service.subscriptions.check(payload, viewer, () =>
          service.contextFor(viewers.viewerOf(socket), outlet.baseUrlOf(request)),
        );
      },
      subscribe: (checked) => service.subscriptions.subscribe(checked as CheckedSubscription),
    },
    sockets,
    limits.pingMs,
  );
  const accepts = ({ url }: IncomingMessage): boolean => url?.split('?', 1)[0] === PATH;
  upgradeWebSockets(server, accepts, (request, socket, head) => {
    const refusal = refusalOf(request, outlet, sockets.clients.size, limits);
    if (refusal !== null) refuse(socket, refusal);
    else sockets.handleUpgrade(request, socket, head, (opened) => open(sockets, opened, request));
  });
  server.once('stopping', () => {
    viewers.close();
    void serving.dispose();
    setTimeout(() => sockets.clients.forEach((client) => client.terminate()), CLOSE_MS).unref();
  });
}

function open(sockets: WebSocketServer, opened: WebSocket, request: IncomingMessage): void {
  // The library listens only for the first error.
  opened.on('error', () => undefined);
  sockets.emit('connection', opened, request);
}

function tooMany({ maxSubscriptionsPerSocket: most }: SocketLimits): GraphQLError {
  return new GraphQLError(`This connection has ${most} subscriptions, which is the limit; end some of them first.`, {
    extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' },
  });
}

/** @returns status line and headers of the refusal; null when the socket may be opened */
function refusalOf(request: IncomingMessage, outlet: Outlet, opened: number, limits: SocketLimits): string | null {
  const { host } = outlet.proxies.addressedAs(request);
  if (!outlet.hosts.allowsOrigin(request, host)) return '403 Forbidden';
  try {
    outlet.hosts.check(request, host);
  } catch {
    return '421 Misdirected Request';
  }
  return opened >= limits.maxSockets ? '503 Service Unavailable\r\nRetry-After: 10' : null;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
