/** The size that a JPEG stream claims for itself. */
export interface JpegFrame {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly components: number;
  /** Bits per sample. */
  readonly precision: number;
  /** Progressive streams are held as coefficients until the last scan. */
  readonly isProgressive: boolean;
}

const START_OF_SCAN = 0xda;
/** SOF0 to SOF15 without DHT, JPG and DAC. */
const isStartOfFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce];
/** TEM, RST0 to RST7, SOI and EOI have no length. */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);

/**
 * Reads the frame headers of a JPEG stream without decoding it.
 * @param bytes may also be the abbreviated stream of a JPEGTables tag
 * @returns every frame of the stream; one in a sound stream
 * @see ITU-T T.81, annex B
 */
export function jpegFrames(bytes: Uint8Array): JpegFrame[] {
  const frames: JpegFrame[] = [];
  for (let at = 0; at + 1 < bytes.length;) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff || marker === 0 || marker === 0xff) {
      at++; // entropy-coded data, or fill bytes
      continue;
    }
    at += 2;
    if (isBare(marker)) continue;
    if (isStartOfFrame(marker)) frames.push(frameAt(bytes, at, marker));
    if (marker !== START_OF_SCAN && at + 1 < bytes.length) at += Math.max(2, uint16(bytes, at));
  }
  return frames;
}

function frameAt(bytes: Uint8Array, at: number, marker: number): JpegFrame {
  return {
    precision: bytes[at + 2] ?? 0,
    heightPx: uint16(bytes, at + 3),
    widthPx: uint16(bytes, at + 5),
    components: bytes[at + 7] ?? 0,
    isProgressive: PROGRESSIVE.includes(marker),
  };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
