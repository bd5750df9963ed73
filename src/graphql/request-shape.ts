import { type DocumentNode, visit } from 'graphql';
import { BadInputError } from '../errors.ts';

/** Levels of braces, brackets and parentheses in a document; parsing and validation recurse through them. */
const MAX_DOCUMENT_LEVELS = 60;
/** Operations and fragments of a document; validation recurses from fragment to fragment. */
const MAX_DEFINITIONS = 300;
/** Levels of lists and objects in a value; coercion recurses through them. */
const MAX_VALUE_LEVELS = 60;
/** Long enough for a signed URL; search texts have a lower limit. */
const MAX_TEXT = 8192;
/** Tokens of a document; validation compares fields with each other. */
export const MAX_TOKENS = 10_000;

/**
 * Counts nesting and definitions from the text of a document, before anything recurses through it. JSON can be counted too.
 * @throws {BadInputError}
 */
export function checkDocumentText(text: string): void {
  let level = 0;
  let definitions = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === '#') at = endOf(text, at);
    else if (character === '{' || character === '[' || character === '(') {
      if (level === 0 && character === '{') definitions += 1;
      level += 1;
      if (level > MAX_DOCUMENT_LEVELS) {
        throw new BadInputError(`The document nests deeper than ${MAX_DOCUMENT_LEVELS} levels.`);
      }
    } else if (character === '}' || character === ']' || character === ')') level = Math.max(0, level - 1);
  }
  if (definitions <= MAX_DEFINITIONS) return;
  throw new BadInputError(`The document has ${definitions} operations and fragments; the limit is ${MAX_DEFINITIONS}.`);
}

/** @returns index of the last character of the comment, string or block string that begins at `start` */
function endOf(text: string, start: number): number {
  if (text[start] === '#') return orEnd(text, text.indexOf('\n', start));
  const quote = text.startsWith('"""', start) ? '"""' : '"';
  let at = start + quote.length;
  while (at < text.length && !text.startsWith(quote, at)) {
    if (quote === '"' && text[at] === '\n') return at;
    const escape = quote === '"' ? '\\' : '\\"""';
    at += text.startsWith(escape, at) ? Math.max(2, escape.length) : 1;
  }
  return at + quote.length - 1;
}

const orEnd = (text: string, at: number): number => (at < 0 ? text.length : at);

/** A value that is still to be looked at, and where it stands. */
interface Pending {
  readonly value: unknown;
  readonly level: number;
  readonly name: string | number;
  readonly parent: Pending | null;
}

/**
 * Checks that a value of a request neither nests too deeply nor holds a text that cannot be stored, without recursion.
 * @param name of the value, for the message
 * @throws {BadInputError}
 */
export function checkValue(value: unknown, name: string): void {
  const pending: Pending[] = [{ value, level: 0, name, parent: null }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (typeof next.value === 'string') checkText(next.value, () => placeOf(next));
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.level === MAX_VALUE_LEVELS) {
      throw new BadInputError(`${name} nests deeper than ${MAX_VALUE_LEVELS} levels.`, {
        details: { argument: name, limit: MAX_VALUE_LEVELS },
      });
    }
    for (const [key, member] of Object.entries(next.value as Record<string, unknown>)) {
      if (typeof member === 'number') continue;
      pending.push({ value: member, level: next.level + 1, name: key, parent: next });
    }
  }
}

/** Checks the texts that stand in a document. @throws {BadInputError} */
export function checkTexts(document: DocumentNode): void {
  visit(document, { StringValue: ({ value }) => checkText(value, () => 'A text of the document') });
}

/** @param where the text stands, asked only for the message */
function checkText(text: string, where: () => string): void {
  if (text.length > MAX_TEXT) {
    throw new BadInputError(`${where()} has ${text.length} characters; the limit is ${MAX_TEXT}.`, {
      details: { argument: where(), value: text.length, limit: MAX_TEXT },
    });
  }
  const at = text.search(UNSTORABLE);
  if (at >= 0) {
    const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
    throw new BadInputError(`${where()} has the character U+${code} at position ${at}; no text may contain it.`, {
      details: { argument: where(), value: at },
    });
  }
}

/** NUL, which PostgreSQL cannot hold, and halves of surrogate pairs, which are no characters. */
const UNSTORABLE = /\0|\p{Cs}/u;

function placeOf(value: Pending): string {
  const names: (string | number)[] = [];
  for (let next: Pending | null = value; next; next = next.parent) names.unshift(next.name);
  return names.join('.');
}
