import { randomFillSync } from 'node:crypto';
import { AppError } from '../../errors.ts';

const random = new Uint8Array(10);
let lastMs = 0;
let counter = 0;

/**
 * An identifier whose order is that of its making, RFC 9562 version 7: 48 bits of Unix time in milliseconds, then a
 * 12-bit counter that keeps identifiers of one process ascending within a millisecond, then random bits.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuidV7(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    // The counter is spent, or the clock went back: time goes on from the last identifier.
    lastMs++;
    counter = 0;
  }
  randomFillSync(random);
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = 0x80 | (random[0]! & 0x3f);
  const tail = Buffer.from(random.subarray(1, 8)).toString('hex');
  const ordered = `7${counter.toString(16).padStart(3, '0')}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${ordered}-${variant.toString(16)}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text has the form of an identifier; other texts are not found, without asking the database. */
export function isIdentifier(text: string): boolean {
  return UUID.test(text);
}

/** A condition has a malformed identifier. */
export class InvalidIdentifierError extends AppError {
  readonly code = 'INVALID_ID';
  constructor(condition: string, id: string) {
    super(
      `${condition} ${JSON.stringify(id)} is not an identifier; identifiers look like 0199c2a5-7f00-7000-8000-000000000000.`,
    );
  }
}

/** @returns the identifier @throws {InvalidIdentifierError} */
export function requireIdentifier(condition: string, id: string): string {
  if (!isIdentifier(id)) throw new InvalidIdentifierError(condition, id);
  return id;
}
