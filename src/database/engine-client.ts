import { messages, type PGliteInterface, type Results, type Transaction } from '@electric-sql/pglite';
import pg from 'pg';
import { plainText } from '../plain-text.ts';
import { DatabaseBusyError, DatabaseUnavailableError } from './database-errors.ts';
import { execOn, type QueryOptions, queryOn, transactionOn } from './engine-statements.ts';
import { EngineThread } from './engine-thread.ts';
import type { EngineSetup, Served } from './engine-worker.ts';

/** What the service asks of an embedded engine, in this thread or in another. */
export interface EmbeddedClient extends Pick<PGliteInterface, 'query' | 'exec' | 'transaction' | 'listen' | 'close'> {
  /** The same engine for the requests of a workspace, which row-level security binds. */
  serving(workspace: string): Pick<EmbeddedClient, 'query' | 'transaction'>;
}

export interface EngineLimits {
  /** Longest that a statement outside a transaction may take, and wait for its turn, milliseconds. */
  readonly statementTimeoutMs: number;
  /** Called when the engine was restarted, with the reason. */
  readonly onRestart?: (reason: string) => void;
}

/** A restart takes this long at most, as a rule. */
const RESTART_MS = 10_000;
/** The engine counts as held up when a statement takes so long, or longer than requests may: nothing else is answered. */
const HELD_UP_MS = 10_000;
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;

/**
 * The embedded engine in a thread of its own. It has one connection, so statements and transactions take turns. An engine
 * that is lost, and one that is held up by a statement for too long, is started again on the same data, as after a crash:
 * committed data is kept; statements in progress are rolled back and fail.
 */
export class EngineClient implements EmbeddedClient {
  private readonly listeners = new Map<string, Set<(payload: string) => void>>();
  private readonly restarted = new Set<(thread: EngineThread) => Promise<void>>();
  private readonly turns = new Turns();
  private thread: Promise<EngineThread>;
  private readonly closing = new AbortController();

  private constructor(
    private readonly setup: EngineSetup,
    private readonly limits: EngineLimits,
    first: EngineThread,
  ) {
    this.thread = Promise.resolve(first);
  }

  /** @throws the engine's reason when it cannot open the database */
  static async open(setup: EngineSetup, limits: EngineLimits): Promise<EngineClient> {
    const early: { client: EngineClient | null } = { client: null };
    const first = await EngineThread.start(
      setup,
      (channel, payload) => early.client?.notify(channel, payload),
      () => early.client?.lost(),
      new AbortController().signal,
    );
    return (early.client = new EngineClient(setup, limits, first));
  }

  query<Row>(sql: string, params: unknown[] = [], options?: QueryOptions): Promise<Results<Row>> {
    return this.queryFor<Row>(null, sql, params, options);
  }

  private async queryFor<Row>(
    served: Served,
    sql: string,
    params: unknown[],
    options?: QueryOptions,
  ): Promise<Results<Row>> {
    const { statementTimeoutMs } = this.limits;
    const leave = await this.turns.take(statementTimeoutMs + RESTART_MS);
    try {
      const thread = await this.thread;
      return await this.timed(thread, queryOn<Row>(thread, served, sql, params, options));
    } finally {
      leave();
    }
  }

  async exec(sql: string): Promise<Results[]> {
    const leave = await this.turns.take(null);
    try {
      return await execOn(await this.thread, null, sql);
    } finally {
      leave();
    }
  }

  /** Statements of a transaction may take as long as they need. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transactionFor(null, work);
  }

  serving(workspace: string): Pick<EmbeddedClient, 'query' | 'transaction'> {
    return {
      query: (sql, params = [], options) => this.queryFor(workspace, sql, params, options),
      transaction: (work) => this.transactionFor(workspace, work),
    };
  }

  private async transactionFor<T>(served: Served, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const leave = await this.turns.take(null);
    try {
      const thread = await this.thread;
      return await transactionOn(thread, served, work);
    } finally {
      leave();
    }
  }

  async listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>> {
    const known = this.listeners.get(channel);
    this.listeners.set(channel, (known ?? new Set()).add(listener));
    if (!known) await this.exec(listenSql(channel));
    return async () => void this.listeners.get(channel)?.delete(listener);
  }

  /** @param hook called when the engine is back after a restart, with what runs a statement at once */
  onRestart(hook: (query: (sql: string, params: unknown[]) => Promise<unknown>) => Promise<void>): void {
    this.restarted.add((thread) => hook((sql, params) => queryOn(thread, null, sql, params)));
  }

  /**
   * Whether the engine answers, without waiting for its turn.
   * @throws {DatabaseUnavailableError} while it starts again or does not start; {@link DatabaseBusyError} while a statement
   *   holds it up
   */
  async checkAnswers(): Promise<void> {
    const starting = Symbol('starting');
    const thread = await Promise.race([this.thread, Promise.resolve(starting)]);
    if (!(thread instanceof EngineThread)) throw new DatabaseUnavailableError('the embedded engine is starting again');
    const longest = Math.min(HELD_UP_MS, this.limits.statementTimeoutMs);
    if (thread.heldMs() > longest) throw new DatabaseBusyError();
  }

  /** Ends what the engine is doing and starts it again. */
  async restart(reason: string): Promise<void> {
    await (await this.thread.catch(() => null))?.kill(reason);
    this.limits.onRestart?.(reason);
  }

  /** From here on an engine that is lost is not started again. */
  announceClose(): void {
    this.closing.abort();
  }

  async close(): Promise<void> {
    this.announceClose();
    await (await this.thread.catch(() => null))?.close();
  }

  /** Restarts the engine when an answer takes too long: nothing else stops a statement there. */
  private async timed<T>(thread: EngineThread, answer: Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      void thread.kill('a statement took too long').then(() => this.limits.onRestart?.('a statement took too long'));
    }, this.limits.statementTimeoutMs);
    try {
      return await answer;
    } catch (error) {
      throw isLate ? cancelled() : error;
    } finally {
      clearTimeout(timer);
    }
  }

  private notify(channel: string, payload: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(payload);
  }

  private lost(): void {
    if (!this.closing.signal.aborted) this.thread = handledLater(this.startAgain(FIRST_RETRY_MS));
  }

  /** Statements wait for the new thread; an engine that does not start is tried again later. */
  private async startAgain(retryMs: number): Promise<EngineThread> {
    try {
      const thread = await EngineThread.start(
        this.setup,
        (channel, payload) => this.notify(channel, payload),
        () => this.lost(),
        this.closing.signal,
      );
      void this.restore(thread);
      return thread;
    } catch (error) {
      const tryAgain = (): void => {
        this.thread = handledLater(this.startAgain(Math.min(MAX_RETRY_MS, 2 * retryMs)));
      };
      if (!this.closing.signal.aborted) setTimeout(tryAgain, retryMs).unref();
      throw new DatabaseUnavailableError(`the embedded engine does not start: ${plainText(String(error))}`);
    }
  }

  /** Listens again and calls the hooks; an engine that is lost meanwhile is restored when it is back. */
  private async restore(thread: EngineThread): Promise<void> {
    try {
      for (const channel of this.listeners.keys()) await execOn(thread, null, listenSql(channel));
      for (const hook of this.restarted) await hook(thread);
    } catch {
      await thread.kill('it could not be restored');
    }
  }
}

const listenSql = (channel: string): string => `LISTEN ${pg.escapeIdentifier(channel)}`;

/** SQLSTATE 57014, query_canceled, as a server would answer. */
function cancelled(): messages.DatabaseError {
  const message = 'canceling statement due to statement timeout';
  return Object.assign(new messages.DatabaseError(message, message.length, 'error'), {
    code: '57014',
    severity: 'ERROR',
  });
}

function handledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** One holder at a time, in the order of arrival. */
class Turns {
  private last: Promise<void> = Promise.resolve();

  /**
   * @param waitMs longest wait, milliseconds; null: as long as it takes
   * @returns ends the turn
   * @throws {DatabaseBusyError} after the wait
   */
  async take(waitMs: number | null): Promise<() => void> {
    const before = this.last;
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    this.last = before.then(() => left);
    if (waitMs === null) {
      await before;
      return leave;
    }
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), waitMs);
    });
    const first = await Promise.race([before, tooLate]);
    clearTimeout(timer);
    if (first !== 'late') return leave;
    leave();
    throw new DatabaseBusyError();
  }
}
