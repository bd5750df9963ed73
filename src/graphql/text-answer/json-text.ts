import { randomBytes } from 'node:crypto';

/** Prefix of placeholders while an answer is written. No answer contains it, so clients cannot know it. */
const MARK = randomBytes(16).toString('hex');

/** The texts of the answer that is being written, in its order; null while none is. */
let written: JsonText[] | null = null;

/** A value of an answer that is JSON text already: {@link stringifyWithJsonText} puts it into the answer as it is. */
export class JsonText {
  private constructor(readonly pieces: readonly string[]) {}

  /** @param text valid JSON, such as PostGIS makes */
  static of(text: string): JsonText {
    return new JsonText([text]);
  }

  /** A list. @param items valid JSON each; they are not joined before the answer is */
  static list(items: readonly string[]): JsonText {
    const pieces: string[] = [];
    for (const item of items) pieces.push(pieces.length === 0 ? '[' : ',', item);
    pieces.push(pieces.length === 0 ? '[]' : ']');
    return new JsonText(pieces);
  }

  /** Any other writer of JSON gets the value. */
  toJSON(): unknown {
    return written ? `${MARK}${written.push(this) - 1}` : JSON.parse(this.pieces.join(''));
  }
}

/** A part of an answer that is written as text, without being resolved: a field of the operation, or what is under a name in it. */
export interface AnswerText {
  readonly field: string;
  readonly key: string | null;
  readonly text: JsonText;
}

/**
 * JSON of a value, its {@link JsonText}s neither parsed nor rewritten, and copied once.
 * @param end put behind it
 */
export function stringifyWithJsonText(value: unknown, end = ''): string {
  const texts: JsonText[] = [];
  written = texts;
  try {
    return spliced(JSON.stringify(value), texts, end);
  } finally {
    written = null;
  }
}

/** @param json has the marks of the texts, in their order */
function spliced(json: string, texts: readonly JsonText[], end: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (const [index, text] of texts.entries()) {
    const mark = `"${MARK}${index}"`;
    const at = json.indexOf(mark, from);
    pieces.push(json.slice(from, at));
    for (const piece of text.pieces) pieces.push(piece);
    from = at + mark.length;
  }
  pieces.push(json.slice(from), end);
  return pieces.join('');
}
