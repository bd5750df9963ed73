import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError } from '../errors.ts';
import type { ByteSource } from '../imagery/byte-source.ts';
import { DecoderEndedError, DecoderMemoryError, DecoderTimeError } from '../imagery/image-errors.ts';
import type { DecoderReply, DecoderRequest, DecoderSettings, FetchedRanges, RangesWanted } from './decoder-protocol.ts';
import { ReportedImageError, reportedError } from './reported-error.ts';

/** Memory of the process itself, its libraries (GDAL is 130 MB) and its cache of blocks, bytes. */
const BASE_BYTES = 512 * 2 ** 20;
/** How often the memory of a busy process is looked at. */
const WATCH_MS = 50;
/** JavaScript objects of a decoder: directories of large TIFF files. Pixels lie outside the heap. */
const HEAP_MB = 512;
/** Variables that a decoder gets: nothing of the service's, which may be secret. */
const ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH'];

export interface DecoderLimits extends DecoderSettings {
  /** Longest time for one request. */
  readonly timeoutS: number;
}

/** One child process that decodes, one request at a time. Ends for good at its first trouble. */
export class DecoderProcess {
  private reject: ((error: Error) => void) | null = null;
  private settle: ((reply: DecoderReply) => void) | null = null;
  /** The clock of the current request, which is paused while its bytes are fetched. */
  private clock: DecodingClock | null = null;
  private remote: RemoteBytes | null = null;
  private ended = false;
  private readonly ready: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly limits: DecoderLimits,
  ) {
    this.ready = new Promise((resolve, reject) => {
      child.once('message', () => resolve());
      this.reject = reject;
    });
    this.ready.catch(() => undefined); // the waiting request gets the error
    child.on('message', (message: DecoderReply | RangesWanted | 'ready') => {
      if (message === 'ready') return;
      if ('wanted' in message) void this.fetch(message);
      else this.settle?.(message);
    });
    child.on('error', (error) => this.end(error.message));
    child.on('exit', (code, signal) => this.end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    this.unref();
  }

  static start(limits: DecoderLimits): DecoderProcess {
    const { maxPixels, memoryBytes } = limits;
    const settings = JSON.stringify({ maxPixels, memoryBytes } satisfies DecoderSettings);
    const built = import.meta.url.endsWith('.js');
    const file = fileURLToPath(new URL(built ? './decoder-main.js' : './decoder-main.ts', import.meta.url));
    const loader = built ? [] : ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
    const child = fork(file, [settings], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`, ...loader],
      env: Object.fromEntries(ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new DecoderProcess(child, limits);
  }

  get alive(): boolean {
    return !this.ended;
  }

  /**
   * Answers one request; the process must be alive and not busy.
   * @param bytes of a remote image; read in this process, which alone has the network
   * @throws {AppError} what the image has wrong, or how it ended this process
   */
  async call(request: DecoderRequest, bytes: ByteSource | null): Promise<unknown> {
    this.child.ref();
    this.child.channel?.ref();
    const { timeoutS } = this.limits;
    const remote = (this.remote = bytes && new RemoteBytes(bytes));
    let watch: NodeJS.Timeout | undefined;
    try {
      await this.ready;
      const reply = new Promise<DecoderReply>((resolve, reject) => {
        this.settle = resolve;
        this.reject = reject;
        this.clock = new DecodingClock(timeoutS * 1000, () => this.stop(new DecoderTimeError(timeoutS)));
        watch = setInterval(() => void this.checkMemory(), WATCH_MS);
        this.send(request);
      });
      return answerOf(await reply, remote?.failure ?? null);
    } finally {
      clearInterval(watch);
      this.clock?.stop();
      this.settle = this.reject = this.clock = this.remote = null;
      this.unref();
    }
  }

  /** Answers the process's request for bytes, unless the request it serves has ended. */
  private async fetch({ wanted }: RangesWanted): Promise<void> {
    const { remote, clock } = this;
    if (!remote) return;
    clock?.stop();
    const length = wanted.reduce((sum, { start, end }) => sum + end - start, 0);
    if (!(length <= this.limits.memoryBytes)) {
      return this.stop(new DecoderMemoryError('the image', length, this.limits.memoryBytes));
    }
    const answer = await remote.fetch(wanted).catch((error: Error) => this.stop(error));
    if (!answer || this.remote !== remote || this.ended) return;
    clock?.start();
    this.send(answer);
  }

  private send(message: DecoderRequest | FetchedRanges): void {
    this.child.send(message, (error) => {
      if (error) this.end(error.message);
    });
  }

  /** Ends the process; its current request fails with the reason. */
  stop(reason: Error = new DecoderEndedError('the service is closing')): void {
    this.ended = true;
    this.reject?.(reason);
    this.child.kill('SIGKILL');
  }

  private end(how: string): void {
    this.ended = true;
    this.reject?.(new DecoderEndedError(how));
  }

  private async checkMemory(): Promise<void> {
    const { memoryBytes } = this.limits;
    const resident = await residentBytes(this.child.pid);
    if (this.settle && resident > BASE_BYTES + memoryBytes)
      this.stop(new DecoderMemoryError('the image', null, memoryBytes));
  }

  private unref(): void {
    this.child.unref();
    this.child.channel?.unref();
  }
}

/** @param failure why bytes could not be fetched, which then ended the request */
function answerOf(reply: DecoderReply, failure: AppError | null): unknown {
  if ('answer' in reply) return reply.answer;
  if (failure) throw failure;
  throw 'refused' in reply ? new ReportedImageError(reply.refused) : new Error(reply.failed);
}

/** The time that a request has left. */
class DecodingClock {
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;

  constructor(
    private leftMs: number,
    private readonly onEnd: () => void,
  ) {
    this.start();
  }

  start(): void {
    this.startedAt = performance.now();
    this.timer = setTimeout(this.onEnd, this.leftMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    if (this.timer) this.leftMs -= performance.now() - this.startedAt;
    this.timer = undefined;
  }
}

/** The bytes of a remote image during one request. */
class RemoteBytes {
  /** Why bytes could not be fetched. */
  failure: AppError | null = null;

  constructor(private readonly bytes: ByteSource) {}

  async fetch(wanted: RangesWanted['wanted']): Promise<FetchedRanges> {
    try {
      if (wanted.length > 1) await this.bytes.prefetch?.(wanted);
      const fetched = wanted.map(({ start, end }) => this.bytes.read(start, end - start));
      return { fetched: await Promise.all(fetched) };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.failure = error;
      return { unfetched: reportedError(error) };
    }
  }
}

const PAGE_BYTES = 4096;

/** Resident memory of a process; 0 where the system has no /proc, whose limit is then that of the header checks. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  return Number(statm.split(' ')[1]) * PAGE_BYTES;
}
