import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { graphql } from 'graphql';
import { describe, expect, it } from 'vitest';
import { undescribedCodes } from '../scripts/error-table.ts';
import { ERROR_CODES, isRetryable, OPERATOR_ERROR_CODES, statusOfCode } from '../src/error-codes.ts';
import { buildSchema } from '../src/graphql/schema.ts';

const SRC = path.resolve(import.meta.dirname, '..', 'src');
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'error-codes.ts')
  .map((file) => path.join(SRC, file));
const TEXT = FILES.map((file) => readFileSync(file, 'utf8')).join('\n');
/** Codes that GraphQL.js and Apollo Server declare. */
const OF_LIBRARIES = /^(GRAPHQL_|PERSISTED_QUERY_|OPERATION_RESOLUTION_FAILURE|INTERNAL_SERVER_ERROR)/;
/** An error of a class that passes by itself, with its code. */
const PASSING =
  /class \w+ extends (?:OutageError|ModelUnavailableError)[^{]*\{(?:(?!\n\}).)*?code(?:: \w+)? = '([A-Z_]+)'/gs;

describe('error codes', () => {
  it('are all described', () => {
    expect(FILES.length).toBeGreaterThan(100);
    expect(FILES.flatMap(undescribedCodes)).toEqual([]);
  });

  it('are each declared somewhere, and stand in one table', () => {
    const known = [...Object.keys(ERROR_CODES), ...OPERATOR_ERROR_CODES];
    expect(known.filter((code) => !OF_LIBRARIES.test(code) && !TEXT.includes(`'${code}'`))).toEqual([]);
    expect(new Set(known).size).toBe(known.length);
  });

  it('of outages are retryable, and have a status that says so', () => {
    const codes = [...TEXT.matchAll(PASSING)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(5);
    for (const code of codes.filter((one) => one !== 'MODEL_CRASHED')) {
      expect([code, isRetryable(code), [429, 503, 507].includes(statusOfCode(code))]).toEqual([code, true, true]);
    }
  });

  it('are told over GraphQL with what the table says', async () => {
    const { data } = await graphql({
      schema: buildSchema(),
      source: '{ errorCodes { code when status isRetryable } }',
      contextValue: { viewer: { workspace: 'default', subject: 'reader', role: 'viewer' } },
    });
    const told = data?.['errorCodes'] as { code: string }[];
    expect(told.map(({ code, ...rest }) => [code, { ...rest }])).toEqual(Object.entries(ERROR_CODES));
  });
});
