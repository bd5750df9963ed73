import { describe, expect, it } from 'vitest';
import { checkPixels } from '../../src/imagery/image-errors.ts';

describe('the size of an image', () => {
  it.each([
    [1, 3_999_999_999],
    [3_999_999_999, 1],
    [2 ** 26 + 1, 1],
  ])('is refused where a side is longer than any column or mask holds: %i x %i', (widthPx, heightPx) => {
    const check = (): void => checkPixels(widthPx, heightPx, 4e9);
    expect(check).toThrow(`The image has ${widthPx} x ${heightPx} pixels; the limit of a side is 67108864.`);
    expect(check).toThrow(expect.objectContaining({ code: 'IMAGE_TOO_MANY_PIXELS' }) as Error);
  });

  it('may be as long as that', () => expect(() => checkPixels(2 ** 26, 1, 4e9)).not.toThrow());
});
