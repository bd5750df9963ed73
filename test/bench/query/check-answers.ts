import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { CheckedRequest } from './load.ts';
import { send } from './load.ts';
import { type Contender, CONTENDERS, type Place, type Question, type Rows } from './questions.ts';
import type { Running } from './start-contenders.ts';

/** Sums over floating point numbers come in any order of their parts. */
const TOLERANCE = 1e-9;

/** The requests of a question, whose answers were found to agree. */
export interface CheckedQuestion {
  readonly requests: Record<Contender, CheckedRequest[]>;
  /** Rows of all answers of one contender. */
  readonly rows: number;
}

/**
 * Asks every contender about every place.
 * @throws where two contenders differ, naming the row and both values
 */
export async function checkAnswers(
  question: Question,
  places: readonly Place[],
  running: Record<Contender, Running>,
): Promise<CheckedQuestion> {
  const requests: Record<Contender, CheckedRequest[]> = { TerraQL: [], PostGraphile: [], pg: [] };
  let rows = 0;
  for (const place of places) {
    const answers = new Map<Contender, Rows>();
    for (const contender of CONTENDERS) {
      const { path, body } = requestOf(contender, question, place);
      const answer = await text((await send(running[contender].pool, path, body)) as Readable);
      answers.set(contender, rowsOf(contender, question, answer));
      requests[contender].push({ path, body, answerBytes: Buffer.byteLength(answer) });
    }
    const expected = answers.get('pg')!;
    if (expected.length === 0) throw new Error(`${question.title}: nothing at ${place.bbox.join(', ')}`);
    for (const contender of CONTENDERS) compare(`${question.title}: ${contender}`, expected, answers.get(contender)!);
    rows += expected.length;
  }
  return { requests, rows };
}

function requestOf(contender: Contender, { name, operations }: Question, place: Place): { path: string; body: string } {
  if (contender === 'pg') return { path: `/${name}`, body: JSON.stringify(place) };
  const { document, variables } = operations[contender];
  return { path: '/graphql', body: JSON.stringify({ query: document, variables: variables(place) }) };
}

function rowsOf(contender: Contender, { operations }: Question, answer: string): Rows {
  const parsed: unknown = JSON.parse(answer);
  if (contender === 'pg') return parsed as Rows;
  const { data, errors } = parsed as { data?: unknown; errors?: unknown };
  if (errors !== undefined) throw new Error(`${contender}: ${JSON.stringify(errors)}`);
  return operations[contender].rows(data);
}

function compare(subject: string, expected: Rows, given: Rows): void {
  if (given.length !== expected.length) throw new Error(`${subject} has ${given.length} rows, pg ${expected.length}`);
  for (const [index, row] of expected.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const other = given[index]![name];
      if (!isSame(value, other)) {
        throw new Error(`${subject} has ${name} ${JSON.stringify(other)} in row ${index}, pg ${JSON.stringify(value)}`);
      }
    }
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a));
  return JSON.stringify(a) === JSON.stringify(b);
}
