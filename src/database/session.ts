import { randomInt } from 'node:crypto';
import pg from 'pg';
import type { EmbeddedClient } from './engine-client.ts';

/** Callbacks of a channel's listener. */
export interface ChannelListener {
  readonly onNotification: (payload: string) => void;
  /** The connection was lost and is back; notifications in between are lost. */
  readonly onReconnect: () => void;
}

/**
 * The connection that a process keeps for notifications and for an advisory lock, by which other processes see that it is
 * alive. The server releases both when the connection ends, however the process dies.
 */
export interface Session {
  /** @returns stops listening */
  listen(channel: string, listener: ChannelListener): Promise<() => void>;
  /**
   * Takes and keeps an advisory lock of two numbers; takes it again after a connection loss.
   * @param space first number of the lock
   * @returns the second number, unique among the sessions of that space
   */
  holdNumber(space: number): Promise<number>;
  /** Whether all taken locks are held now. */
  isHolding(): boolean;
  close(): Promise<void>;
}

const LOCK_SQL = 'SELECT pg_advisory_lock($1::int, $2::int)';

/** An engine that may be restarted while the process goes on. */
interface Restartable {
  onRestart(hook: (query: (sql: string, params: unknown[]) => Promise<unknown>) => Promise<void>): void;
}

/** The embedded engine has one connection, which lives as long as the process, but for restarts of the engine. */
export function embeddedSession(client: EmbeddedClient & Partial<Restartable>): Session {
  const listeners = new Set<ChannelListener>();
  const locks: [number, number][] = [];
  client.onRestart?.(async (query) => {
    for (const lock of locks) await query(LOCK_SQL, lock);
    for (const { onReconnect } of listeners) onReconnect();
  });
  return {
    async listen(channel, listener) {
      const stop = await client.listen(channel, listener.onNotification);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        void stop();
      };
    },
    async holdNumber(space) {
      const number = lockNumber();
      await client.query(LOCK_SQL, [space, number]);
      locks.push([space, number]);
      return number;
    },
    isHolding: () => true,
    close: () => Promise.resolve(),
  };
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

/** Detects a dead host after about 25 seconds of silence instead of the hours of system defaults. */
const KEEPALIVE = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3';

/** A connection to a PostgreSQL server, opened on first use and reopened whenever it is lost. */
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
    client.on('error', () => undefined); // `end` follows and is handled
    client.on('notification', ({ channel, payload }) => {
      for (const { onNotification } of this.listeners.get(channel) ?? []) onNotification(payload ?? '');
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

  /** Restores listeners and locks; the server may not have noticed yet that the previous connection is gone. */
  private async restore(): Promise<void> {
    const client = await this.connected();
    for (const channel of this.listeners.keys()) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    for (const { space, number } of this.locks) {
      if (!(await tryLock(client, space, number))) throw new Error(`advisory lock ${space}, ${number} is still held`);
    }
    this.held = this.locks.length > 0;
    for (const { onReconnect } of [...this.listeners.values()].flatMap((all) => [...all])) onReconnect();
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
