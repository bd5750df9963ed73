import { ArgsType, Field, Int } from 'type-graphql';
import { AppError } from '../errors.ts';
import type { Page, PageRequest } from '../page.ts';

/** `first` or `last` is not a number of nodes that a page may have. */
export class PageSizeError extends AppError {
  readonly code = 'PAGE_SIZE_INVALID';
  constructor(argument: 'first' | 'last', size: number, maxPage: number) {
    super(`${argument} is ${size}; it must be 0 to ${maxPage}.`, {
      details: { argument: argument, value: size, limit: maxPage },
    });
  }
}

/** Nodes of a page unless the client says otherwise. */
const DEFAULT_PAGE = 50;
const DEFAULT_FEATURES = 100;
/** Features of a collection unless the client says otherwise. */
export const DEFAULT_COLLECTION = 1000;

const FIRST = 'Maximum number of nodes, from the start; 0 returns counts only. Ignored when `last` is given.';

/** Arguments of every list, as the Relay connection specification has them. */
@ArgsType()
export abstract class CursorArgs {
  abstract first?: number | null;

  @Field(() => String, { nullable: true, description: 'Cursor after which the page begins.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'Maximum number of nodes, from the end.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Cursor before which the page ends.' })
  before?: string | null;
}

@ArgsType()
export class PageArgs extends CursorArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_PAGE, description: FIRST })
  first?: number | null;
}

/** Arguments of a list of features. */
@ArgsType()
export class FeaturePageArgs extends CursorArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_FEATURES, description: FIRST })
  first?: number | null;
}

/**
 * The page that a client asks for. A page of 0 nodes has its counts and says whether there are nodes: stores give pages of 1
 * or more, so that one node is read and left out.
 * @param ask reads the page from the store
 * @throws {PageSizeError} and what `ask` throws
 */
export async function askPage<Asked extends Page<unknown>>(
  args: CursorArgs,
  maxPage: number,
  ask: (page: PageRequest) => Promise<Asked>,
): Promise<Asked> {
  const page = pageRequest(args, maxPage);
  if (!isEmpty(args)) return ask(page);
  const found = await ask(page);
  const some = found.edges.length > 0;
  const around = page.last === undefined ? { hasNextPage: some } : { hasPreviousPage: some };
  return { ...found, edges: [], ...around };
}

/** Whether a client asks for a page without nodes. */
export const isEmpty = ({ first, last }: CursorArgs): boolean => (last ?? first) === 0;

/** @throws {PageSizeError} */
export function pageRequest({ first, after, last, before }: CursorArgs, maxPage: number): PageRequest {
  const cursors = { after: after ?? null, before: before ?? null };
  if (last !== null && last !== undefined) return { last: pageSize('last', last, maxPage), ...cursors };
  return { first: pageSize('first', first ?? DEFAULT_PAGE, maxPage), ...cursors };
}

/** @throws {PageSizeError} @returns 1 for 0: stores give pages of 1 or more */
export function pageSize(argument: 'first' | 'last', size: number, maxPage: number): number {
  if (size < 0 || size > maxPage) throw new PageSizeError(argument, size, maxPage);
  return Math.max(1, size);
}
