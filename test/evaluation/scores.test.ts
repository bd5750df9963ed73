import { expect, it } from 'vitest';
import type { Label } from '../../src/evaluation/label.ts';
import { iouOf, maskFromCounts, nearestPlaces, overlapInScene, overlapInWindow } from '../../src/evaluation/overlap.ts';
import { type AskedQuestion, interval, summaryOf } from '../../src/evaluation/scores.ts';
import { letterboxGeometry } from '../../src/raster/window-plan.ts';
import { seededRandom } from '../seeded.ts';

const WINDOW = 64;

interface Case {
  readonly answer: Uint8Array;
  readonly label: Label;
}

/** Answers and labels of every size; one label in three is empty, one answer in five too. */
function cases(count: number): Case[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, number) => {
    const [widthPx, heightPx] = [20 + Math.floor(70 * random()), 20 + Math.floor(70 * random())];
    const some = (share: number) => Uint8Array.from({ length: widthPx * heightPx }, () => Number(random() < share));
    const label = {
      widthPx,
      heightPx,
      target: some(number % 3 === 0 ? 0 : 0.4),
      counts: some(number % 2 === 0 ? 1 : 0.9),
    };
    return { answer: some(number % 5 === 0 ? 0 : random()), label };
  });
}

/** The loop over the pixels of the window that section 6.2 of the specification describes. */
function slowWindow({ answer, label }: Case): { intersection: number; union: number; predicted: number } {
  const { widthPx, heightPx, target, counts } = label;
  const place = letterboxGeometry(widthPx, heightPx, WINDOW);
  let [intersection, union, predicted] = [0, 0, 0];
  for (let y = 0; y < WINDOW; y++) {
    for (let x = 0; x < WINDOW; x++) {
      const [row, column] = [y - place.padTopPx, x - place.padLeftPx];
      if (row < 0 || column < 0 || row >= place.shownHeightPx || column >= place.shownWidthPx) continue;
      const atRow = Math.min(Math.floor(row * (1 / (place.shownHeightPx / heightPx))), heightPx - 1);
      const atColumn = Math.min(Math.floor(column * (1 / (place.shownWidthPx / widthPx))), widthPx - 1);
      const pixel = atRow * widthPx + atColumn;
      if (counts[pixel] === 0) continue;
      const [p, t] = [answer[pixel] === 1, target[pixel] === 1];
      intersection += Number(p && t);
      union += Number(p || t);
      predicted += Number(p);
    }
  }
  return { intersection, union, predicted };
}

const asked = ({ answer, label }: Case, index: number): AskedQuestion => {
  const scene = overlapInScene(answer, label);
  return {
    sample: String(index),
    image: String(index),
    question: 'water',
    first: true,
    category: '',
    group: '',
    window: overlapInWindow(answer, label, WINDOW),
    scene,
    targetPixels: scene.union - scene.predicted + scene.intersection,
    pixels: label.counts.reduce((sum, counted) => sum + counted, 0),
  };
};

it('counts in the window and in the image as a loop over pixels does', () => {
  for (const one of cases(30)) {
    expect(overlapInWindow(one.answer, one.label, WINDOW)).toEqual(slowWindow(one));
    const { answer, label } = one;
    const pixels = [...answer].map((p, i) => ({ p: p === 1, t: label.target[i] === 1, c: label.counts[i] === 1 }));
    const counted = pixels.filter(({ c }) => c);
    expect(overlapInScene(answer, label)).toEqual({
      intersection: counted.filter(({ p, t }) => p && t).length,
      union: counted.filter(({ p, t }) => p || t).length,
      predicted: counted.filter(({ p }) => p).length,
    });
  }
});

it('gathers gIoU, cIoU, P@X and the answers to absent targets as the published evaluation defines them', () => {
  const all = cases(30);
  const answers = all.map(asked);
  const found = summaryOf(answers);
  const windows = all.map(slowWindow);
  const ious = windows.map(({ intersection, union }) => (union === 0 ? 1 : intersection / (union + 1e-5)));
  const total = (key: 'intersection' | 'union') => windows.reduce((sum, one) => sum + one[key], 0);
  expect(found.window.gIoU).toBeCloseTo(ious.reduce((a, b) => a + b) / ious.length, 12);
  expect(found.window.cIoU).toBeCloseTo(total('intersection') / (total('union') + 1e-10), 12);
  for (const [at, share] of Object.entries(found.window.precision)) {
    expect(share).toBeCloseTo(ious.filter((iou) => iou > Number(at)).length / ious.length, 12);
  }
  const absent = answers.filter(({ targetPixels }) => targetPixels === 0);
  const alarms = absent.filter(({ scene }) => scene.predicted > 0).length;
  expect(found.absent).toMatchObject({ questions: absent.length, falseAlarmRate: alarms / absent.length });
  expect(found.absent.emptyAccuracy! + found.absent.falseAlarmRate!).toBeCloseTo(1, 12);
  expect(found.present.questions + found.absent.questions).toBe(30);
  // Both frames show the same masks, so no scene can differ much from its window.
  expect(Math.abs(found.scene.gIoU! - found.window.gIoU!)).toBeLessThan(0.05);
});

it('takes an empty answer to an absent target for right, and means of nothing for null', () => {
  const nothing = { intersection: 0, union: 0, predicted: 0 };
  expect(iouOf(nothing)).toBe(1);
  expect(iouOf({ intersection: 0, union: 5, predicted: 5 })).toBe(0);
  const { window, absent } = summaryOf([]);
  expect(window).toMatchObject({ gIoU: null, gIoU95: null, cIoU: null, precision: { '0.5': null } });
  expect(absent).toEqual({ questions: 0, emptyAccuracy: null, falseAlarmRate: null, falseAlarmArea: null });
});

it('gives independent answers the interval of a mean, and no narrower one to repeated answers', () => {
  const random = seededRandom(3);
  const values = Array.from({ length: 200 }, () => random());
  const names = values.map((_, i) => String(i));
  const mean = values.reduce((a, b) => a + b) / 200;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 199);
  expect(interval(values, names)).toBeCloseTo((1.96 * deviation) / Math.sqrt(200), 12);
  expect(interval([...values, ...values], [...names, ...names])).toBeCloseTo(interval(values, names)!, 12);
  expect(interval([0.5], ['a'])).toBeNull();
});

it('prints the interval that the Python tools print', () => {
  // The same answers are scored in models/tests/test_benchmark.py.
  expect(interval([0.1, 0.4, 0.4, 0.9, 0.7], ['a', 'a', 'b', 'c', 'c'])).toBeCloseTo(0.37803110983092386, 12);
});

it('reads COCO counts column by column', () => {
  // 3 wide, 2 high: the second column and the top of the third.
  expect([...maskFromCounts([2, 3, 1], 3, 2)]).toEqual([0, 1, 1, 0, 1, 0]);
});

it('finds the nearest source pixel as OpenCV does, also where the reciprocal is not exact', () => {
  expect([...nearestPlaces(5, 10)]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  expect(
    nearestPlaces(900, 1024).every((place, i) => place === Math.min(Math.floor(i * (1 / (1024 / 900))), 899)),
  ).toBe(true);
});
