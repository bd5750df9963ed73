import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { z } from 'zod';

/** Processor time of a request, milliseconds on one core: in the process of the server, and in those of the database. */
export interface ProcessorTime {
  readonly serverMs: number;
  readonly databaseMs: number;
}

/** Length of a tick of the kernel's clock, which `/proc` counts in (USER_HZ). */
const TICK_MS = 10;
/** Places of utime and stime behind the name of the process. */
const UTIME = 11;
const STIME = 12;

const Backends = z.array(z.object({ pid: z.number() }));

/**
 * Reads how long processors worked for a server and for its database, which other work on the machine changes far less than
 * it changes how long clients wait.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export class ProcessorClock {
  private constructor(private readonly client: pg.Client) {}

  /** @param databaseUrl of a server on this machine, which must have `/proc` */
  static async open(databaseUrl: string): Promise<ProcessorClock> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    return new ProcessorClock(client);
  }

  /**
   * Times a piece of work that only `server` and the connections to its database do.
   * @returns what the work gave, and the time of all of it
   */
  async during<T>(serverPid: number, work: () => Promise<T>): Promise<{ result: T; spent: ProcessorTime }> {
    const [serverBefore, before] = await this.read(serverPid);
    const result = await work();
    const [serverAfter, after] = await this.read(serverPid);
    const databaseMs = [...after].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
    return { result, spent: { serverMs: serverAfter - serverBefore, databaseMs } };
  }

  close(): Promise<void> {
    return this.client.end();
  }

  private async read(serverPid: number): Promise<[server: number, backends: ReadonlyMap<number, number>]> {
    // Those of connections alone: a worker of autovacuum ends when it likes, its `/proc` with it.
    const { rows } = await this.client.query<object>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    const pids = Backends.parse(rows).map(({ pid }) => pid);
    const times = await Promise.all(pids.map(async (pid): Promise<[number, number]> => [pid, await processorMs(pid)]));
    return [await familyMs(serverPid), new Map(times)];
  }
}

/** Of a process and of those that it started, as of decoders; one that ended meanwhile is left out. */
async function familyMs(pid: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(pids.map(async (each) => ({ pid: each, ...(await statOf(each).catch(() => GONE)) })));
  const family = new Set([pid]);
  for (let before = 0; before < family.size;) {
    before = family.size;
    for (const { pid: each, parent } of all) if (family.has(parent)) family.add(each);
  }
  return all.reduce((sum, one) => sum + (family.has(one.pid) ? one.processorMs : 0), 0);
}

const GONE = { parent: 0, processorMs: 0 } as const;

/** Parent, and time of all threads of a process since it began, in itself and in the kernel. */
async function statOf(pid: number): Promise<{ readonly parent: number; readonly processorMs: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), processorMs: TICK_MS * (Number(fields[UTIME]) + Number(fields[STIME])) };
}

const processorMs = async (pid: number): Promise<number> => (await statOf(pid)).processorMs;
