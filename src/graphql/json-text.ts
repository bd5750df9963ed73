import { randomBytes } from 'node:crypto';

/** What stands for the texts of the answer that is being written; null while none is. */
let written: { readonly mark: string; readonly texts: string[] } | null = null;

/** A value of an answer that is JSON text already: {@link stringifyWithJsonText} puts it into the answer as it is. */
export class JsonText {
  /** @param text valid JSON, such as PostGIS makes */
  constructor(readonly text: string) {}

  /** Any other writer of JSON gets the value. */
  toJSON(): unknown {
    return written ? `${written.mark}${written.texts.push(this.text) - 1}` : JSON.parse(this.text);
  }
}

/** A part of an answer that is written as text, without being resolved: below a field of the operation, under a name. */
export interface AnswerText {
  readonly field: string;
  readonly key: string;
  readonly text: JsonText;
}

/**
 * JSON of a value, its {@link JsonText}s neither parsed nor written anew. Their places are kept by marks that nobody can
 * guess, so that no string of a client is taken for one.
 */
export function stringifyWithJsonText(value: unknown): string {
  const texts: string[] = [];
  const mark = randomBytes(16).toString('hex');
  written = { mark, texts };
  try {
    const json = JSON.stringify(value);
    if (texts.length === 0) return json;
    return json.replaceAll(
      new RegExp(`"${mark}(\\d+)"`, 'g'),
      (_mark, index: string) => texts[Number(index)] ?? 'null',
    );
  } finally {
    written = null;
  }
}
