import { randomInt } from 'node:crypto';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

/** What a listener of a channel is told. */
export interface ChannelListener {
  readonly hear: (payload: string) => void;
  /** The connection was lost and is back: notifications of the time between are gone. */
  readonly missed: () => void;
}

/**
 * The one connection that a process keeps for itself: it hears notifications, and holds an advisory lock by which other
 * processes see that this one is alive. The server ends both when the connection ends, however the process dies.
 */
export interface Session {
  /** @returns stops listening */
  listen(channel: string, listener: ChannelListener): Promise<() => void>;
  /**
   * Takes an advisory lock of two numbers and keeps it; it is taken again when the connection was lost.
   * @param space first number of the lock
   * @returns the second number, which no other session holds in that space
   */
  holdNumber(space: number): Promise<number>;
  /** Whether every lock taken is held now. */
  isHolding(): boolean;
  close(): Promise<void>;
}

/** The embedded engine has one connection, which lives as long as the process. */
export function embeddedSession(pglite: PGlite): Session {
  return {
    async listen(channel, { hear }) {
      const stop = await pglite.listen(channel, hear);
      return () => void stop();
    },
    async holdNumber(space) {
      const number = lockNumber();
      await pglite.query('SELECT pg_advisory_lock($1::int, $2::int)', [space, number]);
      return number;
    },
    isHolding: () => true,
    close: () => Promise.resolve(),
  };
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

/** A dead host is noticed after some 25 seconds of silence instead of the hours that systems allow. */
const KEEPALIVE = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3';

/** A connection to a PostgreSQL server, made when it is first needed and again whenever it is lost. */
export class ServerSession implements Session {
  private readonly listeners = new Map<string, Set<ChannelListener>>();
  private readonly locks: { readonly space: number; readonly number: number }[] = [];
  private client: pg.Client | null = null;
  private connecting: Promise<pg.Client> | null = null;
  private held = false;
  private closed = false;

  constructor(private readonly url: string) {}

  async listen(channel: string, listener: ChannelListener): Promise<() => void> {
    const client = await this.connected();
    const known = this.listeners.get(channel);
    this.listeners.set(channel, (known ?? new Set()).add(listener));
    if (!known) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    return () => void this.listeners.get(channel)?.delete(listener);
  }

  async holdNumber(space: number): Promise<number> {
    const client = await this.connected();
    for (;;) {
      const number = lockNumber();
      if (!(await tryLock(client, space, number))) continue;
      this.locks.push({ space, number });
      this.held = true;
      return number;
    }
  }

  isHolding(): boolean {
    return this.held;
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = await this.connecting?.catch(() => null);
    await (client ?? this.client)?.end();
  }

  private connected(): Promise<pg.Client> {
    if (this.client) return Promise.resolve(this.client);
    this.connecting ??= this.connect().finally(() => (this.connecting = null));
    return this.connecting;
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url, keepAlive: true });
    client.on('error', () => undefined); // `end` follows, and is acted on
    client.on('notification', ({ channel, payload }) => {
      for (const { hear } of this.listeners.get(channel) ?? []) hear(payload ?? '');
    });
    await client.connect();
    await client.query(KEEPALIVE);
    client.on('end', () => this.lost());
    this.client = client;
    return client;
  }

  private lost(): void {
    this.client = null;
    this.held = false;
    if (!this.closed) this.reconnectAfter(FIRST_RETRY_MS);
  }

  private reconnectAfter(delayMs: number): void {
    setTimeout(() => {
      if (this.closed) return;
      this.restore().catch(() => this.reconnectAfter(Math.min(2 * delayMs, MAX_RETRY_MS)));
    }, delayMs).unref();
  }

  /** Listens and locks again; the server may not have noticed yet that the connection before is gone. */
  private async restore(): Promise<void> {
    const client = await this.connected();
    for (const channel of this.listeners.keys()) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    for (const { space, number } of this.locks) {
      if (!(await tryLock(client, space, number))) throw new Error(`advisory lock ${space}, ${number} is still held`);
    }
    this.held = this.locks.length > 0;
    for (const { missed } of [...this.listeners.values()].flatMap((all) => [...all])) missed();
  }
}

const lockNumber = (): number => randomInt(1, 2 ** 31 - 1);

async function tryLock(client: pg.Client, space: number, number: number): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1::int, $2::int) AS taken', [
    space,
    number,
  ]);
  return rows[0]?.taken === true;
}
