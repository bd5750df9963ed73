import { fromArrayBuffer } from 'geotiff';
import { parseInstant } from '../calendar-time.ts';

const EXIF_DIRECTORY = 34665;
const DATE_TIME_ORIGINAL = 36867;
const OFFSET_TIME_ORIGINAL = 36881;

/**
 * Acquisition time: EXIF DateTimeOriginal with its offset; without an offset the time counts as UTC.
 * @param exif EXIF block, with or without its `Exif` signature
 * @returns null when the block is damaged or has no such time, or one that is not in the calendar
 * @see CIPA DC-008 (EXIF 2.32), tags 0x9003 and 0x9011
 */
export async function takenAt(exif: Uint8Array): Promise<Date | null> {
  const signature = Buffer.from(exif.subarray(0, 4)).toString('latin1') === 'Exif' ? 6 : 0;
  const tiffBytes = Uint8Array.from(exif.subarray(signature)); // a copy: a Buffer may share its memory
  try {
    const tiff = await fromArrayBuffer(tiffBytes.buffer);
    const pointer: unknown = await (await tiff.requestIFD(0)).loadValue(EXIF_DIRECTORY);
    if (typeof pointer !== 'number') return null;
    const directory = await tiff.parser.parseFileDirectoryAt(pointer);
    return timeOf(await directory.loadValue(DATE_TIME_ORIGINAL), await directory.loadValue(OFFSET_TIME_ORIGINAL));
  } catch {
    return null;
  }
}

function timeOf(dateTime: unknown, offset: unknown): Date | null {
  const parts = typeof dateTime === 'string' ? /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(dateTime) : null;
  if (!parts) return null;
  const zone = typeof offset === 'string' ? (/^[+-]\d\d:\d\d/.exec(offset)?.[0] ?? 'Z') : 'Z';
  return parseInstant(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}${zone}`);
}
