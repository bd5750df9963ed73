import { createHash } from 'node:crypto';
import { BlobNotFoundError, type BlobStore, FileTooLargeError, type WrittenBlob } from '../blob-store.ts';

/**
 * Size and hash of a file that was written without passing this service, by reading it.
 * @returns null when there is none
 * @throws {FileTooLargeError} as soon as more than `maxBytes` were read
 */
export async function writtenPast(blobs: BlobStore, key: string, maxBytes: number): Promise<WrittenBlob | null> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of blobs.stream(key)) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(sizeBytes, maxBytes, false);
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof BlobNotFoundError) return null;
    throw error;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}
