import { AppError } from '../errors.ts';
import type { PageRequest } from '../page.ts';

/** `first` is not a number of nodes that a page may have. */
export class PageSizeError extends AppError {
  readonly code = 'PAGE_SIZE_INVALID';
  constructor(first: number, maxPage: number) {
    super(`first ${first}: a page has 1 to ${maxPage} nodes`);
  }
}

/** Nodes of a page when a client sends `first: null`; absent arguments have the default that the schema prints. */
export const DEFAULT_PAGE = 50;

/**
 * The page that a client asks for.
 * @param after absent or null: the first page
 * @throws {PageSizeError}
 */
export function pageRequest(first: number | null, after: string | null | undefined, maxPage: number): PageRequest {
  const asked = first ?? DEFAULT_PAGE;
  if (asked < 1 || asked > maxPage) throw new PageSizeError(asked, maxPage);
  return { first: asked, after: after ?? null };
}
