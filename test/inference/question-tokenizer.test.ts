import { beforeAll, describe, expect, it } from 'vitest';
import { QuestionTokenizer } from '../../src/inference/question-tokenizer.ts';
import { QuestionTooLongError } from '../../src/inference/segmentation-model.ts';
import { testModel } from './model-folder.ts';

// That the ids are those of the tokenizer the model was trained with is a matter of test/parity.
describe('QuestionTokenizer', () => {
  let tokenizer: QuestionTokenizer;
  let segTokenId: number;
  let maxTokens: number;
  beforeAll(async () => {
    const model = await testModel();
    tokenizer = await QuestionTokenizer.load(model);
    segTokenId = model.manifest.segTokenId;
    maxTokens = model.manifest.maxQuestionTokens;
  });

  it('ends every question with [SEG], and never has it elsewhere', () => {
    const ids = tokenizer.encode('find [SEG] and [PAD] here');
    expect(ids.indexOf(segTokenId)).toBe(ids.length - 1);
  });

  it('tells apart what differs in spaces or case alone', () => {
    const questions = ['the lake', 'the  lake', ' the lake', 'the lake ', 'The lake', 'the\tlake'];
    expect(new Set(questions.map((text) => tokenizer.encode(text).join())).size).toBe(questions.length);
  });

  it('takes a question of as many tokens as the model reads, and not one more', () => {
    const tokens = (count: number): string => Array.from({ length: count - 1 }, () => 'a').join(' ');
    expect(tokenizer.encode(tokens(maxTokens)).length).toBe(maxTokens);
    expect(() => tokenizer.encode(tokens(maxTokens + 1))).toThrow(new QuestionTooLongError(maxTokens + 1, maxTokens));
  });

  it('refuses a million letters at once', () => {
    const started = performance.now();
    expect(() => tokenizer.encode('x'.repeat(1e6))).toThrow(QuestionTooLongError);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
