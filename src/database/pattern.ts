/** @returns a LIKE pattern that matches the text anywhere, with `%`, `_` and `\` escaped */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
