import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { QuestionTokenizer } from '../../src/inference/question-tokenizer.ts';
import { QuestionTooLongError } from '../../src/inference/segmentation-model.ts';
import { temporaryFolder, testModel } from './model-folder.ts';

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

  it('reads runs of spaces as the added tokens of a vocabulary that has them, and no other added token', async () => {
    const model = await testModel();
    const folder = await temporaryFolder();
    const source = path.join(model.folder, model.manifest.files.tokenizer.path);
    const json = JSON.parse(await readFile(source, 'utf8')) as { added_tokens: object[] };
    // As the CodeGen tokenizer of the published model has them: runs of spaces and tabs, and [SEG], none special.
    const added = (id: number, content: string, special = false) => ({ id, content, special, normalized: !special });
    json.added_tokens = [
      added(20_000, '  '),
      added(20_001, '   '),
      added(20_002, '\t\t'),
      added(20_003, '<|endoftext|>', true),
      added(segTokenId, '[SEG]'),
    ];
    await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
    const files = { ...model.manifest.files, tokenizer: { ...model.manifest.files.tokenizer, path: 'tokenizer.json' } };
    const spaced = await QuestionTokenizer.load({ ...model, folder, manifest: { ...model.manifest, files } });

    const plain = (text: string) => tokenizer.encode(text).slice(0, -1);
    const found = (text: string) => spaced.encode(text).slice(0, -1);
    expect(found('lake')).toEqual(plain('lake'));
    // One space comes before every question.
    expect(found(' lake').at(0)).toBe(20_000);
    expect(found('a   b\t\tc').filter((id) => id >= 20_000)).toEqual([20_001, 20_002]);
    // The longest run first, and what is left of it after.
    expect(found('a     b').filter((id) => id >= 20_000)).toEqual([20_001, 20_000]);
    expect(found('find [SEG] or <|endoftext|>')).toEqual(plain('find [SEG] or <|endoftext|>'));
    // A long run is few tokens: it must not be refused for its bytes.
    expect(found(`a${' '.repeat(3 * (maxTokens - 4))}b`).length).toBeLessThan(maxTokens);
  });
});
