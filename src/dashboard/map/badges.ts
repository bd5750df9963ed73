import type { Map } from 'maplibre-gl';
import { CASING, CHANGE_COLOURS, REVIEW_COLOURS, SLOTS } from '../palette.ts';

/** Names of the pictures of badges: letters of the questions, and the mark of what was accepted. */
export const letterBadge = (letter: string): string => `badge-${letter}`;
export const ACCEPTED_BADGE = 'badge-accepted';
export const changeBadge = (kind: 'appeared' | 'vanished'): string => `badge-${kind}`;
/** Nothing, for questions without a letter. */
export const NO_BADGE = 'badge-none';

const SIDE_PX = 18;
const RATIO = 2;

/** Draws the badges as pictures of the map: no glyphs have to come from anywhere. */
export function addBadges(map: Map): void {
  for (const { letter, bright } of SLOTS) add(map, letterBadge(letter), letter, bright);
  add(map, ACCEPTED_BADGE, '✓', REVIEW_COLOURS.ACCEPTED);
  add(map, changeBadge('appeared'), '+', CHANGE_COLOURS.appeared);
  add(map, changeBadge('vanished'), '−', CHANGE_COLOURS.vanished);
  if (!map.hasImage(NO_BADGE)) map.addImage(NO_BADGE, new ImageData(1, 1));
}

function add(map: Map, name: string, text: string, colour: string): void {
  if (map.hasImage(name)) return;
  const side = SIDE_PX * RATIO;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [side, side];
  const context = canvas.getContext('2d');
  if (!context) return;
  context.fillStyle = CASING;
  context.beginPath();
  context.arc(side / 2, side / 2, side / 2 - 1, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = colour;
  context.font = `600 ${0.62 * side}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, side / 2, side / 2 + 1);
  map.addImage(name, context.getImageData(0, 0, side, side), { pixelRatio: RATIO });
}
