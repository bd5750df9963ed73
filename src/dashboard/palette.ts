/** A colour on imagery and dark panels, and on light ones. */
export interface Slot {
  readonly letter: string;
  readonly bright: string;
  readonly deep: string;
  /** Dashed outlines tell a slot from the one six before it, which has its colour. */
  readonly dashed: boolean;
}

/**
 * Six colours that people with normal, protan, deutan and tritan vision can tell apart (ΔE2000 at least 10.8), each with a
 * contrast of 9.2:1 or more to the black casing that outlines are drawn over.
 */
const COLOURS = [
  ['#ff910a', '#ad3400'],
  ['#00ebc4', '#008060'],
  ['#c994ff', '#4b00fa'],
  ['#e3eb00', '#9e8e00'],
  ['#b3d4ff', '#3877ff'],
  ['#f094c6', '#ff0a85'],
] as const;

export const SLOTS: readonly Slot[] = Array.from({ length: 2 * COLOURS.length }, (_, index) => {
  const [bright, deep] = COLOURS[index % COLOURS.length]!;
  return { letter: String.fromCodePoint(65 + index), bright, deep, dashed: index >= COLOURS.length };
});

/** Questions beyond the slots, and features that were rejected. */
export const REST = '#aeb7c2';

export const CASING = '#000000';
export const SELECTED = '#ffffff';

/** Colour from a mean probability of .5, .6, .7, .8 and .9 on: viridis. */
export const CERTAINTY: readonly (readonly [from: number, colour: string])[] = [
  [0.5, '#414487'],
  [0.6, '#2a788e'],
  [0.7, '#22a884'],
  [0.8, '#7ad151'],
  [0.9, '#fde725'],
];

export const CHANGE_COLOURS = { appeared: '#ffb000', vanished: '#6db7ff', stayed: '#d5d9df' } as const;
/** The same on light panels. */
export const CHANGE_COLOURS_LIGHT = { appeared: '#9a5b00', vanished: '#0b6bcb', stayed: '#6b7480' } as const;
export const REVIEW_COLOURS = { ACCEPTED: '#00ebc4', REJECTED: REST, UNREVIEWED: '#b3d4ff' } as const;

/** The slot of a question; null for those beyond the slots. */
export function slotOf(prompts: readonly string[], prompt: string): Slot | null {
  return SLOTS[prompts.indexOf(prompt)] ?? null;
}
