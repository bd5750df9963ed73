/** A text that segmentations ask, whatever became of them. */
export interface AskedPrompt {
  /** Names the prompt in addresses: 32 hexadecimal digits, the MD5 hash of the text. */
  readonly key: string;
  readonly text: string;
}

/** The different prompts of all segmentations. */
export interface AskedPrompts {
  /** By key, behind `after`. @param after a key, or null for the first */
  list(after: string | null, limit: number): Promise<AskedPrompt[]>;
  byKey(key: string): Promise<AskedPrompt | null>;
}
