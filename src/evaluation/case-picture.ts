import sharp from 'sharp';
import type { AnsweredQuestion } from './ask-samples.ts';
import { readLabel } from './label.ts';
import { iouOf, maskFromCounts, nearestPlaces } from './overlap.ts';
import type { Picture } from './read-picture.ts';

/** Largest long side of a picture, pixels. */
const LONG_SIDE_PX = 480;
const SHOWN = 6;
const OPACITY = 0.55;

/** RGB of pixels that are target and answer, answer only, target only. */
export const CASE_COLOURS = {
  hit: { rgb: [0, 200, 90], meaning: 'target, and answered' },
  falseAlarm: { rgb: [230, 30, 60], meaning: 'answered, but not the target' },
  missed: { rgb: [40, 120, 255], meaning: 'target, but not answered' },
} as const;

/** Answers of one kind, to be shown side by side. */
export interface Shelf {
  readonly title: string;
  readonly cases: readonly AnsweredQuestion[];
}

/**
 * First questions: best, median and worst IoU at the image's size of present targets, and the largest false alarms of
 * absent ones. No answer appears twice.
 */
export function shelvesOf(answered: readonly AnsweredQuestion[]): Shelf[] {
  const first = answered.filter(({ asked }) => asked.first);
  const present = first
    .filter(({ asked }) => asked.targetPixels > 0)
    .toSorted((a, b) => iouOf(b.asked.scene) - iouOf(a.asked.scene));
  const count = Math.min(SHOWN, Math.max(1, Math.floor(present.length / 3)));
  const rest = present.slice(count);
  const middle = rest.slice(0, -count);
  const start = Math.max(0, Math.floor((middle.length - count) / 2));
  const area = ({ asked }: AnsweredQuestion): number => asked.scene.predicted / Math.max(1, asked.pixels);
  const alarms = first
    .filter(({ asked }) => asked.targetPixels === 0 && asked.scene.predicted > 0)
    .toSorted((a, b) => area(b) - area(a));
  return [
    { title: 'Best', cases: present.slice(0, count) },
    { title: 'Median', cases: middle.slice(start, start + count) },
    { title: 'Worst', cases: rest.slice(-count).toReversed() },
    { title: 'Largest false alarms', cases: alarms.slice(0, SHOWN) },
  ].filter(({ cases }) => cases.length > 0);
}

/** Reads an image file as the service shows it, at most `longSidePx` on its long side. */
export type PictureReader = (image: string, longSidePx: number) => Promise<Picture>;

/**
 * The image of a case with hits, false alarms and misses laid over the pixels that count.
 * @returns data URI of a JPEG of at most 480 pixels on its long side
 */
export async function casePicture({ sample, counts }: AnsweredQuestion, read: PictureReader): Promise<string> {
  const { rgb, width, height, widthPx, heightPx } = await read(sample.image, LONG_SIDE_PX);
  const answer = maskFromCounts(counts, widthPx, heightPx);
  const label = await readLabel(sample, widthPx, heightPx);
  const columns = nearestPlaces(widthPx, width);
  nearestPlaces(heightPx, height).forEach((row, y) =>
    columns.forEach((column, x) => {
      const place = row * widthPx + column;
      if (label.counts[place] === 1) paint(rgb, (y * width + x) * 3, answer[place] === 1, label.target[place] === 1);
    }),
  );
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 82 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}

function paint(rgb: Uint8Array, place: number, answered: boolean, target: boolean): void {
  if (!answered && !target) return;
  const colour = CASE_COLOURS[answered ? (target ? 'hit' : 'falseAlarm') : 'missed'].rgb;
  colour.forEach((value, channel) => {
    rgb[place + channel] = Math.round(rgb[place + channel]! * (1 - OPACITY) + value * OPACITY);
  });
}
