/** What `promptContains` means, in every filter that has it. */
export const PROMPT_SEARCH =
  'Words of the prompt in any form and order, part of a word, or nearly so; or the syntax of web searches: "a phrase", -without, one or other.';
