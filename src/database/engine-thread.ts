import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { messages, types } from '@electric-sql/pglite';
import { DatabaseUnavailableError } from './database-errors.ts';
import type { DatabaseErrorFields, EngineReply, EngineRequest, EngineSetup, RawResults } from './engine-worker.ts';

type WithoutId<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

interface Waiting {
  /** By the clock of `performance`. */
  readonly sentMs: number;
  resolve(results: RawResults[]): void;
  reject(reason: unknown): void;
}

/** Longest that a database may take to close in order; what it has written is safe in any case. */
const CLOSE_MS = 5000;

/** A thread with an embedded engine: however long a statement takes, the rest of the process continues. */
export class EngineThread {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private ended: Error | null = null;

  private constructor(
    private readonly worker: Worker,
    /** Types of the elements of array types. */
    private readonly elements: ReadonlyMap<number, number>,
    private readonly onNotification: (channel: string, payload: string) => void,
    private readonly onEnd: () => void,
  ) {
    worker.on('message', (reply: EngineReply) => this.settle(reply));
    worker.on('error', (error) => this.end(error.message));
    worker.on('exit', () => this.end('its thread ended'));
    worker.unref();
  }

  /**
   * Starts the thread and opens the database.
   * @param onEnd called once, when the engine can answer no more
   * @param signal aborted to give up the start
   * @throws the engine's reason when it cannot open the database
   */
  static async start(
    setup: EngineSetup,
    onNotification: (channel: string, payload: string) => void,
    onEnd: () => void,
    signal: AbortSignal,
  ): Promise<EngineThread> {
    const worker = startWorker(setup);
    const giveUp = (): void => void worker.terminate();
    signal.addEventListener('abort', giveUp, { once: true });
    const started = await firstReply(worker).finally(() => signal.removeEventListener('abort', giveUp));
    if (started.kind === 'ready') return new EngineThread(worker, new Map(started.arrays), onNotification, onEnd);
    throw new Error(started.kind === 'refused' ? started.message : 'the embedded database did not start');
  }

  /** What turns the text of a value into what it is, by its type; null for a type that stays text. */
  parserOf(type: number): ((text: string) => unknown) | null {
    const element = this.elements.get(type);
    const scalar = (types.parsers as Record<number, (text: string, type?: number) => unknown>)[element ?? type];
    if (element !== undefined) return (text) => types.arrayParser(text, scalar ?? ((value) => value), type);
    return scalar ? (text) => scalar(text, type) : null;
  }

  /**
   * Requests are answered one after another.
   * @throws PostgreSQL's error; {@link DatabaseUnavailableError} when the engine ends meanwhile
   */
  send(request: WithoutId<EngineRequest>): Promise<RawResults[]> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject, sentMs: performance.now() });
      this.worker.ref();
      this.worker.postMessage({ ...request, id } satisfies EngineRequest);
    });
  }

  /** Time since the oldest request that has no answer yet was sent, milliseconds; 0 when all have one. */
  heldMs(): number {
    const [oldest] = this.waiting.values();
    return oldest ? performance.now() - oldest.sentMs : 0;
  }

  /** Ends the engine at once, also in the middle of a statement, as a crash would: what was committed is safe. */
  async kill(reason: string): Promise<void> {
    this.end(reason);
    await this.worker.terminate();
  }

  async close(): Promise<void> {
    const closed = this.send({ kind: 'close' }).then(
      () => true,
      () => false,
    );
    await Promise.race([closed, sleep(CLOSE_MS, false, { ref: false })]);
    await this.kill('it was closed');
  }

  private settle(reply: EngineReply): void {
    if (reply.kind === 'results') this.take(reply.id)?.resolve(reply.results);
    else if (reply.kind === 'error') this.take(reply.id)?.reject(databaseError(reply.error));
    else if (reply.kind === 'notification') this.onNotification(reply.channel, reply.payload);
    else if (reply.kind === 'broken') void this.kill(reply.message);
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (this.waiting.delete(id) && this.waiting.size === 0) this.worker.unref();
    return waiting;
  }

  private end(reason: string): void {
    if (this.ended) return;
    this.ended = new DatabaseUnavailableError(`the embedded engine ended: ${reason}`);
    for (const waiting of this.waiting.values()) waiting.reject(this.ended);
    this.waiting.clear();
    this.onEnd();
  }
}

function firstReply(worker: Worker): Promise<EngineReply> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('its thread ended')));
  });
}

/** The error as the engine threw it in its thread; adapters look at its class and fields. */
function databaseError({ message, ...fields }: DatabaseErrorFields): messages.DatabaseError {
  return Object.assign(new messages.DatabaseError(message, message.length, 'error'), fields);
}

/** Starts the thread from the build, or through a TypeScript loader when this module runs from its source. */
function startWorker(workerData: EngineSetup): Worker {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(built ? './engine-worker.js' : './source-worker.mjs', import.meta.url);
  return new Worker(file, { workerData, ...(built ? {} : { execArgv: [] }) });
}
