import { describe, expect, it } from 'vitest';
import { maskGrid } from '../../src/rendering/mask-grid.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { randomMask } from './random-mask.ts';

const [WIDTH, HEIGHT] = [100, 80];

describe('a mask on a grid', () => {
  const { mask, bytes } = randomMask(WIDTH, HEIGHT, 7);
  const labelled = labelMask(mask);

  it.each([
    [23, 17, 23, 17],
    [23, 17, 11, 5],
    [64, 32, 7, 32],
    [40, 40, 1, 1],
  ])('of %i × %i pixels covers %i × %i cells as its pixels do', (width, height, columns, rows) => {
    const window = { x: 31, y: 22, width, height };
    const grid = maskGrid(labelled, new Float64Array(labelled.labelCount + 1).fill(0.5), window, columns, rows);
    // The slow twin: each pixel shares itself among the columns that it overlaps.
    const inside = new Float64Array(columns * rows);
    const all = new Float64Array(columns * rows);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let column = 0; column < columns; column++) {
          const [from, to] = [(column * width) / columns, ((column + 1) * width) / columns];
          const share = Math.max(0, Math.min(x + 1, to) - Math.max(x, from));
          const cell = Math.floor((y * rows) / height) * columns + column;
          all[cell]! += share;
          inside[cell]! += share * bytes[(window.y + y) * WIDTH + window.x + x]!;
        }
      }
    }
    inside.forEach((covered, cell) => expect(grid.coverage[cell]).toBeCloseTo(covered / all[cell]!, 5));
    expect(grid.probability.every((one, cell) => Math.abs(one - (grid.coverage[cell]! > 0 ? 0.5 : 0)) < 1e-6)).toBe(
      true,
    );
  });

  it('gives each part its own probability', () => {
    const probabilities = Float64Array.from({ length: labelled.labelCount + 1 }, (_, label) => label / 10_000);
    const grid = maskGrid(labelled, probabilities, { x: 0, y: 0, width: WIDTH, height: HEIGHT }, WIDTH, HEIGHT);
    const { lines, offsets, toggles } = labelled.mask;
    for (let k = 0; k < lines.length; k++) {
      for (let run = offsets[k]!; run < offsets[k + 1]!; run++) {
        const probability = grid.probability[lines[k]! * WIDTH + toggles[2 * run]!];
        expect(probability).toBeCloseTo(labelled.labels[run]! / 10_000, 6);
      }
    }
  });
});
