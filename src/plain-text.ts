/** Longest text of others that is stored or passed on, characters. */
const MAX_FOREIGN_TEXT = 1000;

/**
 * Cleans a text that comes from outside (a server's answer, a library's message, metadata of a file), so that it can be
 * stored, logged and shown: control characters, NUL among them, and lone surrogates become spaces; the rest is cut.
 * @param maxLength characters kept at most; a text that is cut ends in "…"
 */
export function plainText(text: string, maxLength = MAX_FOREIGN_TEXT): string {
  // Cut first, with some reserve, so that a huge text costs nothing.
  const clean = text
    .slice(0, 4 * maxLength)
    .replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  if (clean.length <= maxLength) return clean;
  return `${clean.slice(0, maxLength - 1).replace(/\p{Cs}$/u, '')}…`;
}
