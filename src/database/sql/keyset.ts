import type { Page, PageRequest } from '../../page.ts';
import { decodeCursor, encodeCursor, type KeysetPosition } from './cursor.ts';
import { Prisma } from '../database.ts';

/** A total order of rows: by a value, then by identifier. */
export interface KeysetColumns {
  /** Name of the order in cursors, so that cursors of other orders are refused. */
  readonly name: string;
  readonly id: Prisma.Sql;
  /** Null when the identifier alone is the order. */
  readonly key: {
    /** Never null: rows without a value have `missing`. */
    readonly sql: Prisma.Sql;
    /** Value of cursors without one. */
    readonly missing: Prisma.Sql;
  } | null;
  readonly descending: boolean;
}

/** SQL fragments of a page query. */
export interface KeysetSql {
  /** Condition for the rows between the cursors. */
  readonly between: Prisma.Sql;
  /** The order, reversed for a page taken from the end. */
  readonly orderBy: Prisma.Sql;
  /** One row more than the page, to see whether another page follows. */
  readonly limit: number;
}

/** @throws {InvalidCursorError} for a cursor of another order */
export function keysetSql(order: KeysetColumns, page: PageRequest): KeysetSql {
  const { after = null, before = null } = page;
  const conditions = [
    ...(after === null ? [] : [besideSql(order, after, !order.descending)]),
    ...(before === null ? [] : [besideSql(order, before, order.descending)]),
  ];
  const direction = order.descending !== isFromEnd(page) ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const id = Prisma.sql`${order.id} ${direction}`;
  return {
    between: conditions.length > 0 ? Prisma.join(conditions, ' AND ') : Prisma.sql`TRUE`,
    orderBy: order.key ? Prisma.sql`${order.key.sql} ${direction}, ${id}` : id,
    limit: sizeOf(page) + 1,
  };
}

/** Condition for rows after, or before, a cursor. */
function besideSql({ name, id, key }: KeysetColumns, cursor: string, larger: boolean): Prisma.Sql {
  const position = decodeCursor(name, cursor);
  const beyond = larger ? Prisma.sql`>` : Prisma.sql`<`;
  if (!key) return Prisma.sql`${id} ${beyond} ${position.id}::uuid`;
  return Prisma.sql`(${key.sql}, ${id}) ${beyond} (COALESCE(${position.value}::float8, ${key.missing}), ${position.id}::uuid)`;
}

const sizeOf = (page: PageRequest): number => (page.last === undefined ? page.first : page.last);
const isFromEnd = (page: PageRequest): boolean => page.last !== undefined;

/** The rows of a page, in its order. @param rows as read with {@link keysetSql} */
export function rowsOfPage<Row>(rows: readonly Row[], page: PageRequest): Row[] {
  const kept = rows.slice(0, sizeOf(page));
  return isFromEnd(page) ? kept.toReversed() : kept;
}

/**
 * Makes a page from rows read with {@link keysetSql}.
 * @param rows as they were read
 * @param order name of the order
 */
export function pageOf<Row, Node>(
  rows: readonly Row[],
  page: PageRequest,
  order: string,
  edge: (row: Row) => { readonly node: Node; readonly position: KeysetPosition },
): Page<Node> {
  const edges = rowsOfPage(rows, page)
    .map(edge)
    .map(({ node, position }) => ({
      node,
      get cursor() {
        return encodeCursor(order, position);
      },
    }));
  const isMore = rows.length > edges.length;
  const fromEnd = isFromEnd(page);
  return {
    edges,
    hasNextPage: fromEnd ? isGiven(page.before) : isMore || isGiven(page.before),
    hasPreviousPage: fromEnd ? isMore || isGiven(page.after) : isGiven(page.after),
  };
}

const isGiven = (cursor: string | null | undefined): boolean => cursor !== null && cursor !== undefined;

/**
 * Makes pages of several owners from the rows of one statement.
 * @param rows of all owners, those of one owner as they were read
 * @returns a page for each of the owners, an empty one where nothing was read
 */
export function pagesByOwner<Row extends { readonly ownerId: string }, Node>(
  owners: readonly string[],
  rows: readonly Row[],
  page: PageRequest,
  order: string,
  edge: (row: Row) => { readonly node: Node; readonly position: KeysetPosition },
): Map<string, Page<Node>> {
  const owned = new Map(owners.map((owner): [string, Row[]] => [owner, []]));
  for (const row of rows) owned.get(row.ownerId)?.push(row);
  return new Map([...owned].map(([owner, own]) => [owner, pageOf(own, page, order, edge)]));
}
