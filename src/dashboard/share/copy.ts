import { texts } from '../texts.en.ts';

/**
 * Copies a text. Browsers let only pages of https and of this machine do so; elsewhere the text is shown instead.
 * @returns what to tell the person
 */
export async function copy(text: string): Promise<string> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return text;
  try {
    await clipboard.writeText(text);
    return texts.copied;
  } catch {
    return text;
  }
}
