import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { ModelFolderError, type VerifiedModel } from './manifest.ts';
import { QuestionTooLongError } from './segmentation-model.ts';

const tokenizerJson = z.looseObject({
  model: z.looseObject({ vocab: z.record(z.string(), z.number()) }),
  added_tokens: z
    .array(z.looseObject({ id: z.number().int(), content: z.string().min(1), special: z.boolean() }))
    .default([]),
});

/** Tokenizes questions in the training format: one space, the text, then `[SEG]`. */
export class QuestionTokenizer {
  private constructor(
    private readonly tokenizer: Tokenizer,
    private readonly segTokenId: number,
    private readonly maxTokens: number,
    /** Length of the longest token, bytes. */
    private readonly longestToken: number,
  ) {}

  /** @throws {ModelFolderError} when the file is not a tokenizer */
  static async load({ folder, manifest }: VerifiedModel): Promise<QuestionTokenizer> {
    const { path: file } = manifest.files.tokenizer;
    const text = await readFile(path.join(folder, file), 'utf8');
    try {
      const json = tokenizerJson.parse(JSON.parse(text));
      // Special tokens are removed, so that "[SEG]" in a question is plain text, as in training. The remaining added tokens
      // are text: runs of spaces and tabs of the CodeGen vocabulary.
      const controls = [manifest.padTokenId, manifest.segTokenId];
      const added = json.added_tokens.filter(({ id, special }) => !special && !controls.includes(id));
      const tokenizer = new Tokenizer({ ...json, added_tokens: added }, {});
      // Tokens of a byte-level vocabulary have one character per byte.
      const lengths = [
        ...Object.keys(json.model.vocab).map((token) => token.length),
        ...added.map(({ content }) => Buffer.byteLength(content)),
      ];
      const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
      return new QuestionTokenizer(tokenizer, manifest.segTokenId, manifest.maxQuestionTokens, longest);
    } catch (cause) {
      throw new ModelFolderError(folder, `${file} is not a tokenizer: ${(cause as Error).message}`);
    }
  }

  /**
   * @returns ids including the final `[SEG]`
   * @throws {QuestionTooLongError}
   */
  encode(text: string): number[] {
    // Refused before merging, which is slow on long words.
    const fewest = Math.ceil(Buffer.byteLength(` ${text}`) / this.longestToken) + 1;
    if (fewest > this.maxTokens) throw new QuestionTooLongError(fewest, this.maxTokens);
    const ids = [...this.tokenizer.encode(` ${text}`, { add_special_tokens: false }).ids, this.segTokenId];
    if (ids.length > this.maxTokens) throw new QuestionTooLongError(ids.length, this.maxTokens);
    return ids;
  }
}
