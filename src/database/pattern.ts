/** @returns a pattern for LIKE and ILIKE that finds the text anywhere, `%`, `_` and `\` in it taken as they are */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
