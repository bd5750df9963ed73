import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AppError } from '../errors.ts';

/** Another process has the embedded database open; two would corrupt it. */
export class EmbeddedDatabaseInUseError extends AppError {
  readonly code = 'EMBEDDED_DATABASE_IN_USE';
  constructor(readonly directory: string) {
    super(
      `the embedded database in ${directory} is open in another process; stop that process, choose another TERRAQL_DATA_DIR, ` +
        'or set DATABASE_URL to a PostgreSQL server, which many processes can share',
    );
  }
}

/**
 * Makes this process the only owner of an embedded database, until the returned function is called or the process ends.
 * @param directory its real path
 * @throws {EmbeddedDatabaseInUseError}
 */
export async function ownDirectory(directory: string): Promise<() => Promise<void>> {
  const server = await own(directory);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
    });
}

/**
 * Address that stands for the folder: a named pipe on Windows, else a socket, which the system frees when its process
 * dies, so that no lock file can be left behind by a crash.
 */
function addressOf(directory: string): string {
  const name = `terraql-${createHash('sha256').update(directory).digest('hex').slice(0, 24)}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(tmpdir(), `${name}.sock`);
}

async function own(directory: string): Promise<Server> {
  const address = addressOf(directory);
  try {
    return await listen(address);
  } catch (error) {
    if (!isAddressInUse(error)) throw error;
    if (process.platform === 'win32' || (await answers(address))) throw new EmbeddedDatabaseInUseError(directory);
  }
  // The socket's process is gone: only the file is left.
  await rm(address, { force: true });
  return listen(address);
}

function listen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', reject);
    server.listen(address, () => resolve(server.unref()));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(address);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
