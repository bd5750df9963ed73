import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from './logging.ts';

/** What clients may hold of a server. */
export interface ListenerLimits {
  /** Connections at once; further ones are closed as they come. */
  readonly maxConnections: number;
  /** Longest that a whole request may take to arrive, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Longest that the body of a request may take to arrive, milliseconds; the request timeout unless given. */
  readonly bodyTimeoutMs?: (request: IncomingMessage) => number;
}

/** Longest that the headers of a request may take to arrive. */
const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than proxies and clients keep idle connections, so that none writes to a connection that was just closed. */
const KEEP_ALIVE_MS = 65_000;
const CHECK_MS = 5000;
/** What is still read of a request that was answered early, so that the client reads the answer. */
const LINGER_BYTES = 16 * 1024 ** 2;
const LINGER_MS = 5000;

/**
 * An HTTP server that no connection can end, wedge or fill: errors of raw sockets are caught whatever becomes of them,
 * late bodies end with 408, and a request that is answered before its body has come is read to its end, within bounds, so
 * that the client gets the answer and not a reset connection (RFC 9112, section 9.6).
 */
export function createListener(answer: RequestListener, logger: Logger, limits: ListenerLimits): Server {
  const { requestTimeoutMs, bodyTimeoutMs } = limits;
  const options = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
  };
  const server = createServer(options, (request, response) => {
    if (hasBody(request)) {
      if (bodyTimeoutMs) refuseLateBody(request, response, bodyTimeoutMs(request));
      lingerOnEarlyEnd(request, response);
    }
    answer(request, response);
  });
  server.maxConnections = limits.maxConnections;
  // Node takes its own listener away when a connection is upgraded; without any, a reset would end the process.
  server.on('connection', (socket) => socket.on('error', () => undefined));
  server.on('connect', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  // For instance too many open files. Until the server listens, errors belong to the caller of `listen`.
  server.on('error', (error) => void (server.listening && logger.error({ err: error }, 'Listener:Failed')));
  server.on('drop', () => logger.warn({ maxConnections: limits.maxConnections }, 'Listener:ConnectionRefused'));
  return server;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function refuseLateBody(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const { socket } = request;
  const timer = setTimeout(() => {
    if (request.complete) return;
    // Written to the socket: the route may still set headers on the response.
    if (response.socket === socket && !response.headersSent) socket.write(lateAnswer(timeoutMs));
    socket.destroySoon();
  }, timeoutMs);
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop).once('close', stop);
}

function lateAnswer(timeoutMs: number): string {
  const message = `The body did not arrive within ${timeoutMs / 1000} s.`;
  const body = JSON.stringify({ error: { code: 'REQUEST_TIMEOUT', message } });
  const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  return `HTTP/1.1 408 Request Timeout\r\n${headers}\r\n\r\n${body}`;
}

function lingerOnEarlyEnd(request: IncomingMessage, response: ServerResponse): void {
  const end = response.end.bind(response) as (done?: () => void) => ServerResponse;
  const lingering = (...given: unknown[]): ServerResponse => {
    response.end = end as ServerResponse['end'];
    const done = given.find((argument): argument is () => void => typeof argument === 'function');
    const [chunk, encoding] = given.filter((argument) => typeof argument !== 'function');
    if (request.complete) return (response.end as (...all: unknown[]) => ServerResponse)(...given);
    const body = chunk as string | Uint8Array | null | undefined;
    if (!response.headersSent) {
      response.setHeader('Connection', 'close');
      const length = body === undefined || body === null ? 0 : Buffer.byteLength(body);
      if (!response.hasHeader('Transfer-Encoding')) response.setHeader('Content-Length', length);
    }
    if (body === undefined || body === null) response.flushHeaders();
    else response.write(body, (encoding as BufferEncoding | undefined) ?? 'utf8');
    discard(request, () => end(done));
    return response;
  };
  response.end = lingering as ServerResponse['end'];
}

/** Reads what is still to come of a request, within bounds. @param done called once */
function discard(request: IncomingMessage, done: () => void): void {
  const timer = setTimeout(finish, LINGER_MS);
  let bytes = 0;
  let finished = false;
  function finish(): void {
    clearTimeout(timer);
    if (finished) return;
    finished = true;
    done();
  }
  request.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) finish();
  });
  for (const event of ['end', 'close', 'error'] as const) request.once(event, finish);
  if (request.destroyed) finish();
  else request.resume();
}

/** Takes over a connection; must not throw. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Lets a server upgrade WebSocket handshakes; those of other paths are 404. Every other upgrade is ignored and its request
 * answered over HTTP/1.1 as if it had not asked for one: RFC 9110, section 7.8. Java's client asks for `h2c` with every first request.
 * @param accepts whether the path of a request can be upgraded
 */
export function upgradeWebSockets(
  server: Server,
  accepts: (request: IncomingMessage) => boolean,
  upgrade: Upgrade,
): void {
  server.on('upgrade', (request, socket, head) => {
    const websocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!websocket || request.method !== 'GET') answerWithoutUpgrade(server, request, socket, head);
    else if (accepts(request)) upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}

const DROPPED = new Set(['upgrade', 'http2-settings']);

/** Puts the request back in front of its connection, without the headers that ask for an upgrade. */
function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name, value] = [request.rawHeaders[index]!, request.rawHeaders[index + 1]!];
    if (DROPPED.has(name.toLowerCase())) continue;
    const kept = name.toLowerCase() === 'connection' ? withoutDropped(value) : value;
    if (kept !== '') lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const withoutDropped = (connection: string): string =>
  connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !DROPPED.has(option.toLowerCase()))
    .join(', ');
