import { open } from 'node:fs/promises';

/** Random access to the bytes of one file. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** @returns exactly `length` bytes, fewer only where the file ends */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads ranges together, for the reads that follow, where that is cheaper than one after another. */
  prefetch?(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a local file and holds its handle until closed. */
export async function openFileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    async read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) return bytes.slice(0, filled);
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}
