import { describe, expect, it } from 'vitest';
import { promptRows, readRows, type TokenizedQuestion } from '../../src/inference/prompt-rows.ts';
import { smallManifest } from './model-folder.ts';

const manifest = smallManifest(); // prompts [1, 10, 2] and [1, 10, 3]; 10 tokens, 8 is padding; at most 20 a question
const questions: TokenizedQuestion[] = [
  { task: 'REASONING', ids: [4, 5, 9] },
  { task: 'REFERRING', ids: [6, 8, 7, 7, 9] },
];

describe('rows of token ids', () => {
  it('are the prompt of the task, the question and padding, with a mask that is 1 on the question', () => {
    const { inputIds, attentionMask, dims } = promptRows(manifest, questions);
    expect(dims).toEqual([2, 8]);
    expect(Array.from(inputIds, Number)).toEqual([1, 10, 2, 4, 5, 9, 8, 8, 1, 10, 3, 6, 8, 7, 7, 9]);
    expect(Array.from(attentionMask, Number)).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });

  it('give back the questions they were made of', () => {
    expect(readRows(manifest, promptRows(manifest, questions))).toEqual(questions);
  });

  it.each([
    ['no question', [1, 10, 2, 4], [0, 0, 0, 0], 'attention_mask row 0 is not zeros, then ones, then zeros'],
    ['a gap', [1, 10, 2, 4, 5, 6], [0, 0, 0, 1, 0, 1], 'then zeros: column 4 is 0'],
    ['a mask of two', [1, 10, 2, 4], [0, 0, 0, 2], 'is not zeros, then ones, then zeros'],
    ['another prompt', [1, 10, 4, 4], [0, 0, 0, 1], 'input_ids row 0 does not start with a prompt of small.'],
    ['a prompt that is read', [1, 10, 2, 4], [0, 0, 1, 1], 'input_ids row 0 does not start with a prompt of small.'],
    ['an image token in the question', [1, 10, 2, 10], [0, 0, 0, 1], 'the token 10 in its question; tokens are 0 to 9'],
    ['a negative token', [1, 10, 2, -1], [0, 0, 0, 1], 'the token -1 in its question'],
    [
      'a long question',
      [1, 10, 2, ...Array.from({ length: 21 }, () => 4)],
      [0, 0, 0, ...Array.from({ length: 21 }, () => 1)],
      'a question of 21 tokens; the model reads at most 20',
    ],
  ])('are refused with %s', (_what, ids, mask, message) => {
    const rows = {
      inputIds: BigInt64Array.from(ids, BigInt),
      attentionMask: BigInt64Array.from(mask, BigInt),
      dims: [1, ids.length] as const,
    };
    expect(() => readRows(manifest, rows)).toThrow(message);
  });
});
