/**
 * Queries over HTTP beside PostGraphile 5 and beside the floor:
 * `DATABASE_URL=postgresql://… npm run bench -- query`.
 *
 * Stores 200,000 seeded features in a database of its own on that server, starts TerraQL, PostGraphile with PostGIS
 * support (installed into `test/bench/postgraphile` on the first run, on a Node that can run it) and `pg` with one statement
 * behind `node:http`, each in a process of its own with ten connections, and asks each of four questions about 16 places.
 * All answers are compared before any is timed: same rows in the same order, same identifiers, outlines, areas and sums; and
 * each timed answer must be as long as the one that was checked. Contenders take turns in short rounds, so that other work
 * on the machine hits them alike; what counts are the ratios of one run.
 *
 * TERRAQL_BENCH_FEATURES (200000) and TERRAQL_BENCH_SECONDS (6: of each contender, for each question and number of clients)
 * make it smaller; TERRAQL_BENCH_DATABASE names a database that is kept, and asked again by the next run.
 */
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { afterAll, bench, describe } from 'vitest';
import { Comparison } from './query/comparison.ts';
import { send } from './query/load.ts';
import { CONTENDERS, type Question, QUESTIONS } from './query/questions.ts';
import { operationsText, tableOf } from './query/report.ts';

const server = process.env['DATABASE_URL'];
if (server === undefined) {
  console.log(
    'query: set DATABASE_URL to a PostgreSQL server with PostGIS; the embedded database belongs to one process',
  );
  describe.skip('needs DATABASE_URL', () => bench('queries', () => undefined));
} else {
  await compare(server);
}

async function compare(serverUrl: string): Promise<void> {
  const settings = {
    features: Number(process.env['TERRAQL_BENCH_FEATURES'] ?? 200_000),
    seconds: Number(process.env['TERRAQL_BENCH_SECONDS'] ?? 6),
    keptName: process.env['TERRAQL_BENCH_DATABASE'] ?? null,
  };
  const comparison = await Comparison.open(serverUrl, settings);
  console.log(`${settings.features} features; ${comparison.versions()}`);
  try {
    for (const question of QUESTIONS) await report(comparison, question);
  } catch (error) {
    await comparison.close();
    throw error;
  }
  afterAll(() => comparison.close());
}

/** Measures under load, then leaves it to the runner to time one client. */
async function report(comparison: Comparison, question: Question): Promise<void> {
  console.log(`${question.title}\n${operationsText(question)}`);
  const checked = await comparison.check(question);
  console.log(`  all answer alike: ${checked.rows} rows at ${checked.requests.pg.length} places`);
  console.log(tableOf(await comparison.measure(checked)));
  describe(`${question.title}, one client`, () => {
    for (const contender of CONTENDERS) {
      let next = 0;
      const pool = comparison.poolOf(contender);
      const requests = checked.requests[contender];
      const ask = async (): Promise<void> => {
        const { path, body } = requests[next++ % requests.length]!;
        await text((await send(pool, path, body)) as Readable);
      };
      bench(contender, ask, { time: 500, warmupTime: 100 });
    }
  });
}
