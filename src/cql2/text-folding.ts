import type { Folding } from './condition.ts';

/** Characters of the basic plane with another form in simple case folding, and what they become, in the same order. */
export const CASE_FOLDING: { readonly from: string; readonly to: string } = caseFolding();

function caseFolding(): { from: string; to: string } {
  const pairs: [string, string][] = [];
  for (let code = 0x41; code <= 0xffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCharCode(code);
    // By way of upper case, so that all lower-case forms of a letter, such as both sigmas, become one.
    const folded = character.toUpperCase().toLowerCase();
    if (folded.length === 1 && folded !== character) pairs.push([character, folded]);
  }
  return { from: pairs.map(([from]) => from).join(''), to: pairs.map(([, to]) => to).join('') };
}

const FOLDED = new Map(
  Array.from(CASE_FOLDING.from, (character, index): [string, string] => [character, CASE_FOLDING.to[index]!]),
);

/** Accents as characters of their own, after canonical decomposition: combining diacritical marks. */
export const ACCENTS = { first: '\u0300', last: '\u036f' } as const;
const ACCENT = new RegExp(`[${ACCENTS.first}-${ACCENTS.last}]`, 'g');

/** Sharp s is two letters in upper case. */
export const SHARP_S = { from: 'ß', to: 'ss' } as const;

/** A text folded as the database folds the texts that it is compared with. @see Unicode, section 5.18 */
export function foldText(text: string, folding: Folding): string {
  if (folding === 'ACCENTS') return text.normalize('NFD').replaceAll(ACCENT, '');
  const letters = Array.from(text, (character) => FOLDED.get(character) ?? character).join('');
  return letters.replaceAll(SHARP_S.from, SHARP_S.to);
}
