import { InvalidCql2Error, MAX_LENGTH } from './expression.ts';

export interface Token {
  /** WORD: identifier or keyword. QUOTED: identifier in double quotes. */
  readonly kind: 'WORD' | 'QUOTED' | 'NUMBER' | 'TEXT' | 'SIGN' | 'END';
  /** Without quotes; what the token says. */
  readonly text: string;
  /** Of its first character, from 1. */
  readonly position: number;
}

const SPACE = /\s+/y;
/** @see OGC 21-065r2, annex B: identifierStart, identifierPart */
const START =
  ':_A-Za-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFE\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const IDENTIFIER = `[${START}][${START}.0-9\\u0300-\\u036F\\u203F\\u2040]*`;
const WORD = new RegExp(IDENTIFIER, 'uy');
/** Names with other characters, which the standard does not have, are read too. */
const QUOTED = /"([^"\0]+)"/y;
const WHOLE_IDENTIFIER = new RegExp(`^${IDENTIFIER}$`, 'u');
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
/** A quote inside is doubled, or stands behind a backslash. */
const TEXT = /'((?:''|\\'|[^'])*)'/y;
const SIGN = /<>|<=|>=|[=<>+\-*/%^(),]/y;

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['TEXT', TEXT],
  ['NUMBER', NUMBER],
  ['WORD', WORD],
  ['QUOTED', QUOTED],
  ['SIGN', SIGN],
];

/** Whether a name can be written without quotes; keywords cannot. */
export const isIdentifier = (name: string): boolean => WHOLE_IDENTIFIER.test(name);

/**
 * The tokens of a text, the last of kind END.
 * @throws {InvalidCql2Error} for a text that is too long or has a character that begins no token
 */
export function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH) {
    throw new InvalidCql2Error(`the filter has ${text.length} characters; the limit is ${MAX_LENGTH}`, 'its end');
  }
  const tokens: Token[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    tokens.push(token.token);
    at = skipSpace(text, token.end);
  }
  tokens.push({ kind: 'END', text: 'the end', position: text.length + 1 });
  return tokens;
}

function tokenAt(text: string, at: number): { readonly token: Token; readonly end: number } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) continue;
    const said = kind === 'TEXT' ? match[1]!.replaceAll(/''|\\'/g, "'") : (match[1] ?? match[0]);
    return { token: { kind, text: said, position: at + 1 }, end: pattern.lastIndex };
  }
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const reason = character === "'" || character === '"' ? `${character} is not closed` : `unexpected ${character}`;
  throw new InvalidCql2Error(reason, `character ${at + 1}`);
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return SPACE.test(text) ? SPACE.lastIndex : at;
}
