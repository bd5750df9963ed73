import { randomUUID } from 'node:crypto';
import type { ByteSource } from '../imagery/byte-source.ts';
import type { ImageSource } from '../imagery/image-source.ts';
import { DecoderProcess, type DecoderLimits } from './decoder-process.ts';
import type { DecoderCalls, DecoderVerb } from './decoder-protocol.ts';

interface OpenImage {
  readonly imageId: string;
  /** A local path, or the bytes of a remote file. */
  readonly file: string | ByteSource;
  /** The process that has read it last, and holds its directories and blocks. */
  home: DecoderProcess | null;
}

interface Waiting {
  readonly image: OpenImage;
  take(process: DecoderProcess): void;
}

/**
 * Opens images in processes of their own, because image files come from strangers and native decoders hold memory that
 * no limit of this process reaches. A process that takes too long, grows too large or ends is replaced; only the request
 * that it was working on fails. Processes start with the first image and stay.
 */
export class ImageDecoders {
  private readonly processes = new Set<DecoderProcess>();
  /** Processes that a request has. */
  private readonly taken = new Set<DecoderProcess>();
  private readonly waiting: Waiting[] = [];
  private closed = false;

  /** @param maxProcesses requests that are worked on at the same time */
  constructor(
    private readonly maxProcesses: number,
    private readonly limits: DecoderLimits,
  ) {}

  /**
   * Opens an image by its header.
   * @param file a local path, or a remote TIFF of which this process reads ranges
   * @throws what `openImage` throws, with the same codes
   * @throws {DecoderTimeError | DecoderMemoryError | DecoderEndedError} also by its methods
   */
  async open(file: string | ByteSource): Promise<ImageSource> {
    const image: OpenImage = { imageId: randomUUID(), file, home: null };
    const header = await this.call(image, 'header', null);
    return {
      header,
      readRgb: (window, outWidthPx, outHeightPx, show) =>
        this.call(image, 'readRgb', { window, outWidthPx, outHeightPx, show }),
      stretch: (rgbBands, collar) => this.call(image, 'stretch', { rgbBands, collar }),
      collar: (rgbBands) => this.call(image, 'collar', { rgbBands }),
      close: async () => {
        if (image.home?.alive && !this.closed) await this.call(image, 'close', null);
      },
    };
  }

  /** Ends the processes; requests in progress fail. */
  async close(): Promise<void> {
    this.closed = true;
    for (const process of this.processes) process.stop();
  }

  private async call<Verb extends DecoderVerb>(
    image: OpenImage,
    verb: Verb,
    args: DecoderCalls[Verb]['args'],
  ): Promise<DecoderCalls[Verb]['answer']> {
    const process = await this.processFor(image);
    image.home = process;
    const { imageId, file } = image;
    try {
      const [named, bytes] = typeof file === 'string' ? [file, null] : [{ sizeBytes: file.sizeBytes }, file];
      return (await process.call({ imageId, file: named, verb, args }, bytes)) as DecoderCalls[Verb]['answer'];
    } finally {
      this.handOn(process);
    }
  }

  /** A free process: the one that knows the image, else any, else a new one, else the next to be free. */
  private processFor(image: OpenImage): Promise<DecoderProcess> {
    for (const process of this.processes) if (!process.alive) this.processes.delete(process);
    const free = [...this.processes].filter((process) => !this.taken.has(process));
    const chosen = free.find((process) => process === image.home) ?? free[0] ?? this.started();
    if (chosen) {
      this.taken.add(chosen);
      return Promise.resolve(chosen);
    }
    return new Promise((take) => this.waiting.push({ image, take }));
  }

  private started(): DecoderProcess | null {
    if (this.processes.size >= this.maxProcesses) return null;
    const process = DecoderProcess.start(this.limits);
    this.processes.add(process);
    return process;
  }

  /** Gives a process to the request that waits longest, one for an image that it knows first. */
  private handOn(process: DecoderProcess): void {
    this.taken.delete(process);
    if (!process.alive) this.processes.delete(process);
    if (this.waiting.length === 0) return;
    const next = process.alive ? process : this.started();
    if (next === null) return;
    const own = this.waiting.findIndex(({ image }) => image.home === next);
    this.taken.add(next);
    this.waiting.splice(Math.max(0, own), 1)[0]!.take(next);
  }
}

/**
 * Decoders of local files, and as many of remote ones: a decoder waits while its bytes are fetched, and a slow server must
 * hold up no image of another place.
 */
export class LocalAndRemoteDecoders {
  private readonly local: ImageDecoders;
  private readonly remote: ImageDecoders;

  constructor(maxProcesses: number, limits: DecoderLimits) {
    this.local = new ImageDecoders(maxProcesses, limits);
    this.remote = new ImageDecoders(maxProcesses, limits);
  }

  /** As {@link ImageDecoders.open}. */
  open(file: string | ByteSource): Promise<ImageSource> {
    return (typeof file === 'string' ? this.local : this.remote).open(file);
  }

  async close(): Promise<void> {
    await Promise.all([this.local.close(), this.remote.close()]);
  }
}
