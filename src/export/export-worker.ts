import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore, WrittenBlob } from '../blob-store.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logging.ts';
import type { ExportService } from './export.service.ts';
import { exportFormat } from './export-format.ts';
import { type FileFormat, fileFormat } from './file-format.ts';
import { convertFile } from './convert-file.ts';
import { writePmtiles } from './pmtiles/write-pmtiles.ts';
import type { TilePyramid } from './pmtiles/tile-pyramid.ts';
import type { ExportRequest } from './export-request.ts';
import { blobFolderOf, type ClaimedExport, type ExportQueue } from './stored-export.ts';

/** What an export worker works with. */
export interface ExportPorts {
  readonly queue: ExportQueue;
  /** Reads features as the workspace sees them. */
  readonly exportsOf: (workspace: string) => Pick<ExportService, 'open'>;
  /** Map tiles of the features that match; null where none does. */
  readonly tilesOf: (workspace: string, filter: ExportRequest['filter']) => Promise<TilePyramid | null>;
  readonly blobs: BlobStore;
  readonly logger: Logger;
  /** Receives the size of each file. */
  readonly usage: { add(workspace: string, amounts: { readonly bytesStored: number }): void };
}

/** Interval at which exports of other processes, and those that expired, are looked for. */
const POLL_MS = 1000;
const EXPIRE_EVERY_MS = 60_000;

const ALIVE_EVERY_MS = 2000;

/** The export was cancelled, or another worker has taken it over. */
class ExportAbandoned extends Error {}

/** Makes files one after another, beside any number of other processes; what it leaves another takes up. */
export class ExportWorker {
  private readonly closing = new AbortController();
  private wakeUp: () => void = () => undefined;
  private loop: Promise<void> | null = null;
  private expiredAt = 0;

  /** @param aliveEveryMs interval at which a running export reports that it is alive, and learns whether it was cancelled */
  constructor(
    private readonly ports: ExportPorts,
    private readonly aliveEveryMs = ALIVE_EVERY_MS,
  ) {}

  start(): void {
    this.loop = this.work();
  }

  /** Looks for work at once. */
  wake(): void {
    this.wakeUp();
  }

  /** Puts what it works on back in the queue. */
  async close(): Promise<void> {
    this.closing.abort();
    this.wakeUp();
    await this.loop;
  }

  private async work(): Promise<void> {
    while (!this.closing.signal.aborted) {
      try {
        await this.expire();
        const claimed = await this.ports.queue.claim();
        if (claimed) await this.make(claimed);
        else await this.pause();
      } catch (error) {
        this.ports.logger.warn({ err: error }, 'Export:Unworked');
        await this.pause();
      }
    }
  }

  /** Resolves when there is work, after the poll interval, and on a close. */
  private async pause(): Promise<void> {
    if (this.closing.signal.aborted) return;
    const woken = new AbortController();
    this.wakeUp = () => woken.abort();
    await sleep(POLL_MS, undefined, { signal: woken.signal }).catch(() => undefined);
  }

  private async expire(): Promise<void> {
    if (Date.now() - this.expiredAt < EXPIRE_EVERY_MS) return;
    this.expiredAt = Date.now();
    for (const id of await this.ports.queue.dropExpired()) await this.ports.blobs.removeFolder(blobFolderOf(id));
  }

  private async make(claimed: ClaimedExport): Promise<void> {
    const { queue, logger, blobs } = this.ports;
    const begunAt = performance.now();
    try {
      const { leftOut, ...written } = await this.written(claimed);
      if (!(await queue.succeed(claimed, { ...written, leftOut }))) throw new ExportAbandoned();
      this.ports.usage.add(claimed.workspace, { bytesStored: written.sizeBytes });
      logger.info({ id: claimed.id, ...written, durationMs: Math.round(performance.now() - begunAt) }, 'Export:Stored');
    } catch (error) {
      if (this.closing.signal.aborted) await queue.release(claimed);
      else if (error instanceof ExportAbandoned) await blobs.removeFolder(blobFolderOf(claimed.id));
      else {
        if (!(error instanceof AppError)) logger.error({ err: error, id: claimed.id }, 'Export:Failed');
        await queue.fail(claimed, failureOf(error));
      }
    }
  }

  private async written(claimed: ClaimedExport): Promise<WrittenBlob & { readonly leftOut: number }> {
    const { queue, exportsOf, blobs } = this.ports;
    const format = fileFormat(claimed.format);
    const { crs, order, ...request } = claimed.request;
    const chosen = await exportsOf(claimed.workspace).open((format.written ?? COUNTED).extension, {
      ...request,
      order: order ?? (format.byPlace ? 'PLACE' : undefined),
      crs: format.gdal ? undefined : crs,
    });
    const state = { done: 0, isOver: false };
    const report = async (): Promise<void> => {
      state.isOver ||= !(await queue.progress(claimed, state.done, chosen.featureCount));
    };
    await report();
    const timer = setInterval(() => void report().catch(() => undefined), this.aliveEveryMs);
    try {
      const check = (): void => {
        if (state.isOver || this.closing.signal.aborted) throw new ExportAbandoned();
      };
      const pieces = format.written
        ? chosen.pieces((done) => void (state.done = done))
        : this.tilePieces(claimed, check);
      const file = await converted(format, watched(pieces, check), crs);
      const blob = await blobs.write(`${blobFolderOf(claimed.id)}/file`, watched(file, check), Number.MAX_SAFE_INTEGER);
      check();
      return { ...blob, leftOut: chosen.withoutGeoreference };
    } finally {
      clearInterval(timer);
    }
  }

  private async *tilePieces({ workspace, request }: ClaimedExport, check: () => void): AsyncGenerator<Uint8Array> {
    yield* writePmtiles((await this.ports.tilesOf(workspace, request.filter)) ?? NO_TILES, check);
  }
}

/** Counts the features of tiles, which show all of them. */
const COUNTED = exportFormat('parquet');
/** The tile of the world is empty. */
const NO_TILES: TilePyramid = {
  bounds: [-180, -85, 180, 85],
  deepest: 0,
  layers: [],
  tile: () => Promise.resolve(new Uint8Array()),
};

async function converted(
  { gdal, written, extension }: FileFormat,
  pieces: AsyncIterable<Uint8Array>,
  crs: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  if (!gdal || !written) return pieces;
  const buffers: Uint8Array[] = [];
  for await (const piece of pieces) buffers.push(piece);
  const target = crs === undefined ? [] : ['-t_srs', crs];
  const options = ['-f', gdal.driver, ...gdal.options, ...target];
  const file = await convertFile({ bytes: Buffer.concat(buffers), from: written.extension, to: extension, options });
  return (async function* () {
    yield file;
  })();
}

async function* watched(pieces: AsyncIterable<Uint8Array>, check: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    check();
    yield piece;
  }
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return {
    code: 'INTERNAL_SERVER_ERROR',
    message: 'The export failed; the service log has the reason.',
  };
}
