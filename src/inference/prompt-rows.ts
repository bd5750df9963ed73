import { AppError } from '../errors.ts';
import type { Manifest } from './manifest.ts';
import type { SegmentationTask } from './segmentation-model.ts';

/** A tokenized question: its task and its token ids with the final `[SEG]`. */
export interface TokenizedQuestion {
  readonly task: SegmentationTask;
  readonly ids: readonly number[];
}

/** Token ids and attention mask of a batch, both `[N, R]` row-major. */
export interface TokenRows {
  readonly inputIds: BigInt64Array<ArrayBuffer>;
  readonly attentionMask: BigInt64Array<ArrayBuffer>;
  readonly dims: readonly [number, number];
}

/** A row of token ids does not have the model's prompt format. */
export class PromptRowError extends AppError {
  readonly code = 'PROMPT_ROW_INVALID';
}

/**
 * Pads rows on the right to the longest.
 * @param unread leading tokens of a row with mask 0: context that is not averaged
 */
export function padRows(
  rows: readonly { readonly ids: readonly number[]; readonly unread: number }[],
  padTokenId: number,
): TokenRows {
  const length = Math.max(...rows.map(({ ids }) => ids.length));
  const inputIds = new BigInt64Array(rows.length * length).fill(BigInt(padTokenId));
  const attentionMask = new BigInt64Array(rows.length * length);
  rows.forEach(({ ids, unread }, row) => {
    ids.forEach((id, column) => {
      inputIds[row * length + column] = BigInt(id);
      attentionMask[row * length + column] = column < unread ? 0n : 1n;
    });
  });
  return { inputIds, attentionMask, dims: [rows.length, length] };
}

/** Encodes questions as rows: the task's prompt (mask 0), then the question (mask 1). Inverse of {@link readRows}. */
export function promptRows({ prompt, padTokenId }: Manifest, questions: readonly TokenizedQuestion[]): TokenRows {
  const rows = questions.map(({ task, ids }) => ({ ids: [...prompt[task], ...ids], unread: prompt[task].length }));
  return padRows(rows, padTokenId);
}

/**
 * Decodes rows into questions: a task's prompt with mask 0, the question with mask 1, padding with mask 0.
 * @throws {PromptRowError} naming the row and the rule
 */
export function readRows(manifest: Manifest, { inputIds, attentionMask, dims }: TokenRows): TokenizedQuestion[] {
  const [rows, length] = dims;
  return Array.from({ length: rows }, (_, row) => {
    const ids = inputIds.subarray(row * length, (row + 1) * length);
    return readRow(manifest, row, ids, attentionMask.subarray(row * length, (row + 1) * length));
  });
}

function readRow(manifest: Manifest, row: number, ids: BigInt64Array, mask: BigInt64Array): TokenizedQuestion {
  const start = mask.indexOf(1n);
  const end = mask.lastIndexOf(1n) + 1;
  const wrong = mask.findIndex((value, column) => value !== (column >= start && column < end ? 1n : 0n));
  if (start < 0 || wrong >= 0)
    throw new PromptRowError(
      `attention_mask row ${row} is not zeros, then ones, then zeros` +
        (wrong < 0 ? '' : `: column ${wrong} is ${mask[wrong]}`),
    );
  const task = taskOf(manifest, ids.subarray(0, start));
  if (task === null) throw new PromptRowError(`input_ids row ${row} does not start with a prompt of ${manifest.name}.`);
  if (end - start > manifest.maxQuestionTokens)
    throw new PromptRowError(
      `input_ids row ${row} has a question of ${end - start} tokens; the model reads at most ${manifest.maxQuestionTokens}.`,
    );
  const question = ids.subarray(start, end);
  const alien = question.find((id) => id < 0n || id >= BigInt(manifest.vocabSize));
  if (alien !== undefined)
    throw new PromptRowError(
      `input_ids row ${row} has the token ${alien} in its question; tokens are 0 to ${manifest.vocabSize - 1}.`,
    );
  return { task, ids: Array.from(question, Number) };
}

function taskOf({ prompt }: Manifest, ids: BigInt64Array): SegmentationTask | null {
  for (const task of ['REASONING', 'REFERRING'] as const) {
    const wanted = prompt[task];
    if (wanted.length === ids.length && wanted.every((id, column) => ids[column] === BigInt(id))) return task;
  }
  return null;
}
