/** Colour from a mean probability of 0, .5, .6, .7, .8 and .9 on: viridis, which keeps its order without colour vision. */
export const CERTAINTY_COLOURS: readonly (readonly [from: number, red: number, green: number, blue: number])[] = [
  [0, 0x44, 0x01, 0x54],
  [0.5, 0x41, 0x44, 0x87],
  [0.6, 0x2a, 0x78, 0x8e],
  [0.7, 0x22, 0xa8, 0x84],
  [0.8, 0x7a, 0xd1, 0x51],
  [0.9, 0xfd, 0xe7, 0x25],
];

/** Index of the colour of a probability. */
export function certaintyStep(probability: number): number {
  let step = CERTAINTY_COLOURS.length - 1;
  while (step > 0 && probability < CERTAINTY_COLOURS[step]![0]) step--;
  return step;
}
