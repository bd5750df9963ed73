import { AppError } from '../../errors.ts';
import { parseJson } from '../../parse-json.ts';
import { isIdentifier } from './identifier.ts';

/** Position of a row in an order: its sort value (null when it has none) and its identifier. */
export interface KeysetPosition {
  readonly value: number | null;
  readonly id: string;
}

/** A cursor does not belong to this list and order. */
export class InvalidCursorError extends AppError {
  readonly code = 'INVALID_CURSOR';
  constructor(readonly cursor: string) {
    super(`Cursor ${JSON.stringify(cursor)} does not belong to this list; use a cursor from the same list and order.`);
  }
}

/**
 * @param order name of the order, so that cursors of other orders are refused
 * @returns opaque base64url
 */
export function encodeCursor(order: string, { value, id }: KeysetPosition): string {
  return Buffer.from(JSON.stringify([order, value, id])).toString('base64url');
}

/** @throws {InvalidCursorError} */
export function decodeCursor(order: string, cursor: string): KeysetPosition {
  const parsed = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!Array.isArray(parsed) || parsed.length !== 3) throw new InvalidCursorError(cursor);
  const [named, value, id] = parsed as readonly unknown[];
  const known = named === order && (value === null || typeof value === 'number');
  if (!known || typeof id !== 'string' || !isIdentifier(id)) throw new InvalidCursorError(cursor);
  return { value, id };
}
