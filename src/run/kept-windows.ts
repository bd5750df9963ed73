import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { z } from 'zod';
import type { Logger } from '../logging.ts';
import type { BlobStore } from '../blob-store.ts';
import type { WindowAnswer, WindowAnswers } from './ask-windows.ts';

const FOLDER = 'runs';
/** Marker file beside the windows. */
const LATE_WINDOW = 'late-window';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

const Header = z.object({ ids: z.array(z.string()), validLength: z.number(), logitsLength: z.number() });

type Blobs = Pick<BlobStore, 'write' | 'stream' | 'list' | 'removeFolder'>;

/**
 * Window answers of a run, kept as files until the run ends, so that an interrupted run resumes at the first missing
 * window. A file is deflated and holds: header length, header with the segmentations, pixel validity, logits.
 */
export class KeptWindows implements WindowAnswers {
  private constructor(
    private readonly blobs: Blobs,
    private readonly logger: Logger,
    private readonly batchId: string,
    private readonly ids: readonly string[],
    private readonly kept: Set<number>,
    /** Whether an earlier attempt ended with a window timeout. */
    readonly hadLateWindow: boolean,
  ) {}

  /** @param ids unfinished segmentations of the batch, in answer order */
  static async open(blobs: Blobs, logger: Logger, batchId: string, ids: readonly string[]): Promise<KeptWindows> {
    const names = await blobs.list(folderOf(batchId));
    const indexes = names.filter((name) => /^\d+$/.test(name)).map(Number);
    return new KeptWindows(blobs, logger, batchId, ids, new Set(indexes), names.includes(LATE_WINDOW));
  }

  has(index: number): boolean {
    return this.kept.has(index);
  }

  /** @returns null when there is no file, or when it lacks the answer to a question */
  async read(index: number): Promise<WindowAnswer | null> {
    if (!this.kept.delete(index)) return null;
    try {
      const parts: Buffer[] = [];
      for await (const part of this.blobs.stream(this.keyOf(index))) parts.push(part);
      return await unpack(Buffer.concat(parts), this.ids);
    } catch (error) {
      this.logger.warn({ err: error, batchId: this.batchId, window: index }, 'Window:Unreadable');
      return null;
    }
  }

  /** A window that cannot be saved is inferred again after an interruption; the run itself continues. */
  async write(index: number, answer: WindowAnswer): Promise<void> {
    await this.keep(index, async () => deflate(pack(answer, this.ids), { level: 1 }));
  }

  /** @see hadLateWindow */
  noteLateWindow(): Promise<void> {
    return this.keep(LATE_WINDOW, async () => Buffer.alloc(0));
  }

  private async keep(name: number | string, bytes: () => Promise<Buffer>): Promise<void> {
    try {
      const made = await bytes();
      await this.blobs.write(this.keyOf(name), once(made), made.length);
    } catch (error) {
      this.logger.warn({ err: error, batchId: this.batchId, window: name }, 'Window:NotKept');
    }
  }

  private keyOf(name: number | string): string {
    return `${folderOf(this.batchId)}/${name}`;
  }
}

/** Removes the saved windows of a batch. */
export function dropKeptWindows(blobs: Pick<BlobStore, 'removeFolder'>, batchId: string): Promise<void> {
  return blobs.removeFolder(folderOf(batchId));
}

/** Removes windows of runs that ended without a worker, for example because their scene was deleted. */
export async function dropLeftoverWindows(
  blobs: Pick<BlobStore, 'list' | 'removeFolder'>,
  runs: { unfinished(batchIds: readonly string[]): Promise<ReadonlySet<string>> },
): Promise<void> {
  const kept = await blobs.list(FOLDER);
  const unfinished = await runs.unfinished(kept);
  for (const batchId of kept) if (!unfinished.has(batchId)) await dropKeptWindows(blobs, batchId);
}

const folderOf = (batchId: string): string => `${FOLDER}/${batchId}`;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const HEADER_LENGTH_BYTES = 4;
const FLOAT_BYTES = 4;

function pack({ valid, logits }: WindowAnswer, ids: readonly string[]): Buffer {
  const header = Buffer.from(JSON.stringify({ ids, validLength: valid.length, logitsLength: logits[0]?.length ?? 0 }));
  const length = Buffer.alloc(HEADER_LENGTH_BYTES);
  length.writeUInt32LE(header.length);
  const grids = logits.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return Buffer.concat([length, header, valid, ...grids]);
}

async function unpack(packed: Buffer, wanted: readonly string[]): Promise<WindowAnswer | null> {
  const bytes = await inflate(packed);
  const headerEnd = HEADER_LENGTH_BYTES + bytes.readUInt32LE(0);
  const text = bytes.subarray(HEADER_LENGTH_BYTES, headerEnd).toString('utf8');
  const { ids, validLength, logitsLength } = Header.parse(JSON.parse(text));
  if (!wanted.every((id) => ids.includes(id))) return null;
  const gridsStart = headerEnd + validLength;
  const gridBytes = logitsLength * FLOAT_BYTES;
  return {
    valid: Uint8Array.from(bytes.subarray(headerEnd, gridsStart)),
    logits: wanted.map((id) => {
      const start = gridsStart + ids.indexOf(id) * gridBytes;
      const aligned = Uint8Array.from(bytes.subarray(start, start + gridBytes));
      return new Float32Array(aligned.buffer);
    }),
  };
}
