import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError } from '../errors.ts';
import { DecoderEndedError, DecoderMemoryError, DecoderTimeError } from '../imagery/image-errors.ts';
import type { DecoderReply, DecoderRequest, DecoderSettings } from './decoder-protocol.ts';

/** Memory of the process itself, its libraries (GDAL is 130 MB) and its cache of blocks, bytes. */
const BASE_BYTES = 512 * 2 ** 20;
/** How often the memory of a busy process is looked at. */
const WATCH_MS = 50;
/** JavaScript objects of a decoder: directories of large TIFF files. Pixels lie outside the heap. */
const HEAP_MB = 512;
/** Variables that a decoder gets: nothing of the service's, which may be secret. */
const ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH'];

/** An error of an image, as a decoder process reported it. */
class ReportedImageError extends AppError {
  readonly code: string;
  constructor({ code, name, message }: { code: string; name: string; message: string }) {
    super(message);
    this.code = code;
    this.name = name;
  }
}

export interface DecoderLimits extends DecoderSettings {
  /** Longest time for one request. */
  readonly timeoutS: number;
}

/** One child process that decodes, one request at a time. Ends for good at its first trouble. */
export class DecoderProcess {
  private reject: ((error: Error) => void) | null = null;
  private settle: ((reply: DecoderReply) => void) | null = null;
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
    this.ready.catch(() => undefined); // the request that waits for it is told
    child.on('message', (reply: DecoderReply) => this.settle?.(reply));
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
   * @throws {AppError} what the image has wrong, or how it ended this process
   */
  async call(request: DecoderRequest): Promise<unknown> {
    this.child.ref();
    this.child.channel?.ref();
    const { timeoutS } = this.limits;
    let timers: NodeJS.Timeout[] = [];
    try {
      await this.ready;
      const reply = new Promise<DecoderReply>((resolve, reject) => {
        this.settle = resolve;
        this.reject = reject;
        timers = [
          setTimeout(() => this.stop(new DecoderTimeError(timeoutS)), timeoutS * 1000),
          setInterval(() => void this.checkMemory(), WATCH_MS),
        ];
        this.child.send(request, (error) => {
          if (error) this.end(error.message);
        });
      });
      return answerOf(await reply);
    } finally {
      timers.forEach((timer) => clearInterval(timer));
      this.settle = this.reject = null;
      this.unref();
    }
  }

  /** Ends the process; a request under way fails with the reason. */
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

function answerOf(reply: DecoderReply): unknown {
  if ('answer' in reply) return reply.answer;
  throw 'refused' in reply ? new ReportedImageError(reply.refused) : new Error(reply.failed);
}

const PAGE_BYTES = 4096;

/** Resident memory of a process; 0 where the system has no /proc, whose limit is then that of the header checks. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  return Number(statm.split(' ')[1]) * PAGE_BYTES;
}
