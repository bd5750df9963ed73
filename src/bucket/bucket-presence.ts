import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageUnavailableError } from '../blob-store.ts';
import type { BucketObjects, ListedObject } from './bucket-objects.ts';

/** Times of the heartbeats, milliseconds. */
export interface BeatTimes {
  /** A living process writes its object this often. */
  readonly everyMs: number;
  /** A process whose object is this much older than the own one is dead. */
  readonly silenceMs: number;
}

export const BEAT_TIMES: BeatTimes = { everyMs: 4000, silenceMs: 20_000 };

/** Servers give the time of an object in whole seconds. */
const RESOLUTION_MS = 1000;
/** Most time that a process takes to say that it ends. */
const WITHDRAW_MS = 2000;
const PROCESSES = '.processes';

/** The server of the bucket lets two processes claim the same key. */
export class ConditionalWritesError extends Error {
  override readonly name = 'ConditionalWritesError';
  constructor(bucket: string) {
    super(
      `The S3 server ignores If-None-Match: * and overwrites objects, so that two processes could take the same upload. TERRAQL_BLOBS=s3://${bucket} needs a server that refuses such a write with 412, as Amazon S3 and MinIO do; else leave TERRAQL_BLOBS unset.`,
    );
  }
}

/**
 * Shows in a bucket that this process lives, and tells which others do, by objects that are written again and again. Times
 * are those that the server gave to objects, compared with each other: no clock of a machine matters.
 */
export class BucketPresence {
  private readonly timer: NodeJS.Timeout;
  private readonly watches = new Map<string, Promise<boolean>>();
  private beatAt: number;
  private beats = 0;
  /** Number of times that this process was silent for so long that others may have taken it for dead. */
  private silences = 0;

  private constructor(
    private readonly objects: BucketObjects,
    /** Names this process in claims. */
    readonly token: string,
    private readonly times: BeatTimes,
    begunAt: number,
  ) {
    this.beatAt = begunAt;
    this.timer = setInterval(() => void this.beat(), times.everyMs).unref();
  }

  /** @throws {ConditionalWritesError} when the server does not honour them; {@link StorageUnavailableError} */
  static async open(objects: BucketObjects, times: BeatTimes): Promise<BucketPresence> {
    const token = randomBytes(8).toString('hex');
    const name = `${PROCESSES}/${token}`;
    const begunAt = performance.now();
    await objects.putNew(name, Buffer.from('0'));
    if (await objects.putNew(name, Buffer.from('0'))) {
      await objects.remove([name]);
      throw new ConditionalWritesError(objects.addressOf('').bucket);
    }
    return new BucketPresence(objects, token, times, begunAt);
  }

  /** Whether the process of a token lives. Takes up to a heartbeat for a living one, and up to the silence for a dead one. */
  async isAlive(token: string): Promise<boolean> {
    if (token === this.token) return true;
    if (!/^[0-9a-f]{16}$/.test(token)) return false;
    const watch = this.watches.get(token) ?? this.watch(token).finally(() => this.watches.delete(token));
    this.watches.set(token, watch);
    return watch;
  }

  /** Time of the server by the last own heartbeat. */
  async nowMs(): Promise<number> {
    return (await this.listed()).get(this.token)?.modifiedMs ?? 0;
  }

  /**
   * Begins work that nobody else may do at the same time.
   * @returns throws {@link StorageUnavailableError} when others may have taken this process for dead meanwhile
   */
  fence(): () => void {
    const { silences } = this;
    return () => {
      const silentMs = performance.now() - this.beatAt;
      if (silences === this.silences && !this.isSilent(silentMs)) return;
      throw new StorageUnavailableError('it could not be reached for too long to go on with this file');
    };
  }

  /** Removes what processes left that are long dead. */
  async sweep(): Promise<void> {
    const listed = await this.listed();
    const now = listed.get(this.token)?.modifiedMs ?? 0;
    const dead = [...listed.values()].filter(({ modifiedMs }) => now - modifiedMs > 10 * this.times.silenceMs);
    await this.objects.remove(dead.map(({ name }) => name));
  }

  /** Withdraws, unless the bucket cannot be reached: then this process is dead after the silence. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const removed = this.objects.remove([this.name]).catch(() => undefined);
    await Promise.race([removed, sleep(WITHDRAW_MS, undefined, { ref: false })]);
  }

  private get name(): string {
    return `${PROCESSES}/${this.token}`;
  }

  private async beat(): Promise<void> {
    const begunAt = performance.now();
    this.beats += 1;
    const reached = await this.objects.put(this.name, Buffer.from(String(this.beats))).then(
      () => true,
      () => false,
    );
    if (!reached) return;
    if (this.isSilent(begunAt - this.beatAt)) this.silences += 1;
    this.beatAt = begunAt;
  }

  private isSilent(ms: number): boolean {
    return ms > this.times.silenceMs - 2 * RESOLUTION_MS;
  }

  private async watch(token: string): Promise<boolean> {
    let first: ListedObject | undefined;
    for (;;) {
      const listed = await this.listed();
      const [own, other] = [listed.get(this.token), listed.get(token)];
      if (!other) return false;
      first ??= other;
      if (other.etag !== first.etag) return true;
      if (own && own.modifiedMs - other.modifiedMs > this.times.silenceMs + RESOLUTION_MS) return false;
      await sleep(this.times.everyMs / 4);
    }
  }

  private async listed(): Promise<Map<string, ListedObject>> {
    const found = new Map<string, ListedObject>();
    for await (const page of this.objects.list(`${PROCESSES}/`)) {
      for (const object of page) found.set(object.name.slice(PROCESSES.length + 1), object);
    }
    return found;
  }
}
