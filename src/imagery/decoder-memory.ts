import { BlockCache } from './block-cache.ts';

/** Memory that open images share: the limit of what decoding may need at a time, and the cache of decoded blocks. */
export interface DecoderMemory {
  /** Limit of what decoding one image may hold, bytes. */
  readonly maxBytes: number;
  readonly cache: BlockCache;
}

/** Decoded blocks and rows kept for later windows, bytes. */
const CACHE_BYTES = 128 * 2 ** 20;

/** Default of `TERRAQL_DECODER_MEMORY_MB`. */
const DEFAULT_DECODER_BYTES = 1024 * 2 ** 20;

/** @param maxBytes limit of what decoding one image may hold */
export function decoderMemory(maxBytes: number = DEFAULT_DECODER_BYTES): DecoderMemory {
  return { maxBytes, cache: new BlockCache(Math.min(CACHE_BYTES, maxBytes / 4)) };
}
