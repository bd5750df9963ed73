import type { Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { AppError } from '../errors.ts';

/** The address to serve on cannot be had. */
export class CannotListenError extends AppError {
  readonly code = 'CANNOT_LISTEN';
  /** @param setting the variable that holds the port */
  constructor(host: string, port: number, setting: string, cause: NodeJS.ErrnoException) {
    const reason =
      cause.code === 'EADDRINUSE' ? `another process uses the port; set ${setting} to a free port` : cause.message;
    super(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
}

/** A server that accepts connections. */
export interface Listening {
  /** `http://host:port`, as a client on this machine reaches it. */
  readonly url: string;
  /**
   * Accepts no more connections and lets requests in progress finish.
   * @param graceMs connections still open after this many milliseconds are cut
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts to accept connections.
 * @param port 0 takes a free one
 * @param setting the variable that holds the port, for the error
 * @throws {CannotListenError}
 */
export async function listen(server: Server, host: string, port: number, setting = 'TERRAQL_PORT'): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(new CannotListenError(host, port, setting, cause)));
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const anyAddress = ['0.0.0.0', '::'].includes(address.address);
  const name = anyAddress ? 'localhost' : address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, stop: (graceMs) => stop(server, graceMs) };
}

/**
 * Fails early where {@link listen} would fail later: a command calls it before it opens a database.
 * @throws {CannotListenError}
 */
export async function checkAddress(host: string, port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new CannotListenError(host, port, 'TERRAQL_PORT', cause)),
    );
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

async function stop(server: Server, graceMs: number): Promise<void> {
  server.emit('stopping');
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
