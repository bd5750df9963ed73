/** What `promptContains` means, in every filter that has it. */
export const PROMPT_SEARCH =
  'Words of the prompt in any inflection and order, including parts of words and close misspellings; or web search syntax: "a phrase", -without, one or other.';
