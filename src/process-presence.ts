import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isCode } from './exclusive-file.ts';
import { parseJson } from './parse-json.ts';

/** A living process writes its heartbeat this often. */
const HEARTBEAT_MS = 2000;
/** A process of another machine without a heartbeat for this long is dead. */
const SILENCE_MS = 12_000;
const WATCH_EVERY_MS = 250;
/** Longest path of a Unix socket that every system accepts, bytes. */
const MAX_SOCKET_PATH = 100;

const PresenceFile = z.object({ host: z.string(), socket: z.boolean() });

/**
 * Shows in a folder that this process lives, and tells which of the other processes do. The folder lies with the data that
 * the processes share, so it guards the data itself, whatever their view of `/tmp`, of process numbers or of the network.
 *
 * A process of the same machine is alive as long as its socket in the folder takes connections, which the system ends with
 * the process, however it dies. Of another machine (a shared volume) the heartbeat is watched.
 */
export class ProcessPresence {
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    /** Names this process in claims. */
    readonly token: string,
    private readonly host: string,
    private readonly socket: PresenceSocket | null,
  ) {
    this.heartbeat = setInterval(() => void this.beat(), HEARTBEAT_MS).unref();
  }

  /** @param folder made when it is missing */
  static async open(folder: string): Promise<ProcessPresence> {
    await mkdir(folder, { recursive: true });
    const token = randomBytes(8).toString('hex');
    const host = await machine();
    const socket = await PresenceSocket.open(folder, token);
    const file = path.join(folder, `${token}.json`);
    await writeFile(`${file}.partial`, JSON.stringify({ host, socket: socket !== null }));
    await rename(`${file}.partial`, file);
    return new ProcessPresence(folder, token, host, socket);
  }

  /** Whether the process of a token lives; false for a token that no process has written. */
  async isAlive(token: string): Promise<boolean> {
    if (token === this.token) return true;
    if (!/^[0-9a-f]{16}$/.test(token)) return false;
    const file = path.join(this.folder, `${token}.json`);
    const text = await readFile(file, 'utf8').catch(() => '');
    const known = PresenceFile.safeParse(parseJson(text));
    if (!known.success) return false;
    if (known.data.host === this.host && known.data.socket) return PresenceSocket.answers(this.folder, token);
    return beats(file);
  }

  /** Removes what dead processes left in the folder. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const token = /^([0-9a-f]{16})\.json$/.exec(name)?.[1];
      if (token !== undefined && !(await this.isAlive(token))) await removePresence(this.folder, token);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    await this.socket?.close();
    await removePresence(this.folder, this.token);
  }

  private async beat(): Promise<void> {
    const now = new Date();
    // The folder may have been removed with the data.
    await utimes(path.join(this.folder, `${this.token}.json`), now, now).catch(() => undefined);
  }
}

async function removePresence(folder: string, token: string): Promise<void> {
  for (const end of ['json', 'sock']) await rm(path.join(folder, `${token}.${end}`), { force: true });
}

/** Identifies the running system: processes of all its containers share it. */
async function machine(): Promise<string> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return bootId.trim() || hostname();
}

/** Whether the heartbeat of a file continues; compares the file with itself, since clocks of machines differ. */
async function beats(file: string): Promise<boolean> {
  const timeOf = (): Promise<number | null> =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
  const first = await timeOf();
  if (first === null) return false;
  for (let waited = 0; waited < SILENCE_MS; waited += WATCH_EVERY_MS) {
    await sleep(WATCH_EVERY_MS);
    const now = await timeOf();
    if (now !== null && now !== first) return true;
  }
  return false;
}

/** The socket of a process in a presence folder; a named pipe on Windows. */
class PresenceSocket {
  private constructor(
    private readonly server: Server,
    private readonly directory: FileHandle | null,
  ) {}

  /** @returns null where the file system or the length of the path allows no socket */
  static async open(folder: string, token: string): Promise<PresenceSocket | null> {
    const address = await addressOf(folder, token);
    if (address === null) return null;
    const server = createServer((connection) => connection.destroy());
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(address.path, () => resolve(true));
    });
    if (listens) return new PresenceSocket(server.unref(), address.directory);
    await address.directory?.close();
    return null;
  }

  /** A process that refuses this user the connection lives, too. */
  static async answers(folder: string, token: string): Promise<boolean> {
    const address = await addressOf(folder, token);
    if (address === null) return true;
    const answer = await new Promise<boolean>((resolve) => {
      const connection = createConnection(address.path);
      connection.once('connect', () => {
        connection.destroy();
        resolve(true);
      });
      connection.once('error', (error) => resolve(!isCode(error, 'ECONNREFUSED') && !isCode(error, 'ENOENT')));
    });
    await address.directory?.close();
    return answer;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    await this.directory?.close();
  }
}

/** Where a socket is; on Linux a folder with a long path is reached through a handle of it, which stays open. */
async function addressOf(
  folder: string,
  token: string,
): Promise<{ readonly path: string; readonly directory: FileHandle | null } | null> {
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\terraql-${token}`, directory: null };
  const direct = path.join(path.resolve(folder), `${token}.sock`);
  if (Buffer.byteLength(direct) <= MAX_SOCKET_PATH) return { path: direct, directory: null };
  if (process.platform !== 'linux') return null;
  const directory = await open(folder, 'r');
  return { path: `/proc/self/fd/${directory.fd}/${token}.sock`, directory };
}
