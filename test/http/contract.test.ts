import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from './served-app.ts';

/** The program `st` of schemathesis; the continuous integration has it in one run, as it takes a minute. */
const SCHEMATHESIS = process.env['TERRAQL_TEST_SCHEMATHESIS'];
const MAX_SECONDS = 50;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
];

let test: ServedApp;
beforeAll(async () => {
  test = await openServedApp();
  await test.segment(['bright']);
});
afterAll(() => test.close());

describe.skipIf(SCHEMATHESIS === undefined)('requests that schemathesis makes of /openapi.json', () => {
  it(
    'are answered as the document says, and never with a fault of the service',
    { timeout: (MAX_SECONDS + 60) * 1000 },
    async () => {
      const options = [
        `--checks=${CHECKS.join(',')}`,
        '--seed=42',
        '--max-examples=15',
        '--generation-database=none',
        `--max-time=${MAX_SECONDS}`,
        '--request-timeout=20',
        '--continue-on-failure',
        '--no-color',
      ];
      const run = spawn(SCHEMATHESIS!, ['run', `${test.url}/openapi.json`, ...options], {
        // What it remembers of a run goes away with the test.
        cwd: test.root,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [report, [code]] = await Promise.all([text(run.stdout), once(run, 'exit')]);
      expect(code, report).toBe(0);
    },
  );
});
