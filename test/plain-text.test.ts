import { describe, expect, it } from 'vitest';
import { plainText } from '../src/plain-text.ts';
import { seededRandom } from './seeded.ts';

describe('a text from outside', () => {
  it.each([
    ['a\0b', 'a b'],
    ['  padded\r\n', 'padded'],
    ['lone \ud83d surrogate', 'lone   surrogate'],
    ['whole \u{1f6f0} pair', 'whole \u{1f6f0} pair'],
    ['\u0085\u001b[31mred', '[31mred'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => expect(plainText(text)).toBe(expected));

  it('is cut without splitting a character', () => {
    expect(plainText('x'.repeat(20), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(plainText(`${'x'.repeat(8)}\u{1f6f0}yz`, 10)).toBe(`${'x'.repeat(8)}…`);
    expect(plainText('x'.repeat(10), 10)).toBe('x'.repeat(10));
  });

  it('can always be stored, whatever its code units are', () => {
    const random = seededRandom(13);
    for (let round = 0; round < 500; round++) {
      const units = Array.from({ length: 50 }, () => Math.floor(random() * (round % 2 === 0 ? 0x10000 : 0x80)));
      const text = plainText(String.fromCharCode(...units), 40);
      expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      expect(text.length).toBeLessThanOrEqual(40);
      expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
    }
  });
});
