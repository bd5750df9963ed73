import type { IncomingMessage } from 'node:http';
import express, { type RequestHandler } from 'express';

/** Encodings of the Unicode standard. UTF-7 (RFC 2152) is not among them, and hides characters from every filter. */
const CHARSETS: ReadonlySet<string> = new Set([
  'utf-8',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'utf-32',
  'utf-32le',
  'utf-32be',
]);

/** The body is text in a charset that is not read; answered 415 as the body parser answers others. */
class UnsupportedCharsetError extends Error {
  readonly status = 415;
  readonly expose = true;
  constructor(charset: string) {
    super(`Charset "${charset.toUpperCase()}" is not supported; use UTF-8.`);
  }
}

function checkCharset(_request: IncomingMessage, _response: unknown, _bytes: Buffer, charset: string): void {
  if (!CHARSETS.has(charset.toLowerCase())) throw new UnsupportedCharsetError(charset);
}

/**
 * Reads JSON bodies.
 * @param maxBytes larger ones are refused with 413
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.1
 */
export function jsonBody(maxBytes: number): RequestHandler {
  return express.json({ limit: maxBytes, verify: checkCharset });
}
