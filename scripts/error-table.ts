import { readFileSync } from 'node:fs';
import { ERROR_CODES, type ErrorDescription, OPERATOR_ERROR_CODES } from '../src/error-codes.ts';

/** Markdown table of error codes. */
export function errorTable(codes: Readonly<Record<string, ErrorDescription>>): string {
  const rows = Object.entries(codes).map(
    ([code, { when, status, isRetryable }]) => `| \`${code}\` | ${status} | ${isRetryable ? 'yes' : 'no'} | ${when} |`,
  );
  return ['| code | status | retry as it is | when |', '|---|---|---|---|', ...rows].join('\n');
}

/** A code in the source, as errors declare it. */
const DECLARED = /\bcode(?: = |: )'([A-Z][A-Z_]+)'/g;
/** Codes of Node.js and PostgreSQL that look like ours. */
const FOREIGN: ReadonlySet<string> = new Set(['ETIMEDOUT']);

/** Codes that a source file declares and no table describes. */
export function undescribedCodes(file: string): string[] {
  const codes = [...readFileSync(file, 'utf8').matchAll(DECLARED)].map(([, code]) => code!);
  return codes.filter(
    (code) => !FOREIGN.has(code) && !Object.hasOwn(ERROR_CODES, code) && !OPERATOR_ERROR_CODES.has(code),
  );
}
