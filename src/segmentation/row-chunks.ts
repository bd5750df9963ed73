/** Most rows and characters of one statement, so that memory stays flat. */
const CHUNK_ROWS = 5000;
const CHUNK_CHARACTERS = 8_000_000;

/** @yields JSON arrays of a bounded number of rows and characters */
export function* chunks(rows: readonly (() => string)[]): Generator<string> {
  let chunk: string[] = [];
  let characters = 0;
  for (const row of rows) {
    const json = row();
    chunk.push(json);
    characters += json.length;
    if (chunk.length === CHUNK_ROWS || characters >= CHUNK_CHARACTERS) {
      yield `[${chunk.join(',')}]`;
      chunk = [];
      characters = 0;
    }
  }
  if (chunk.length > 0) yield `[${chunk.join(',')}]`;
}
