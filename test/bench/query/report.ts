import Table from 'cli-table3';
import type { Measured } from './load.ts';
import { type Contender, CONTENDERS, type Question } from './questions.ts';

/** What a question came to with a number of clients. */
export interface Line {
  readonly clients: number;
  /** All rounds of each contender. */
  readonly measured: Record<Contender, readonly Measured[]>;
}

/** Requests a second, and milliseconds in which half and 99 of a hundred of them were answered. */
export interface Speed {
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function speedOf(rounds: readonly Measured[]): Speed {
  const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
  const elapsedMs = rounds.reduce((sum, round) => sum + round.elapsedMs, 0);
  const quantile = (q: number): number => latencies[Math.ceil(q * latencies.length) - 1] ?? NaN;
  return { requestsPerS: (1000 * latencies.length) / elapsedMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** The speeds of all contenders, and how many times those of the others TerraQL's is. */
export function tableOf(lines: readonly Line[]): string {
  const table = new Table({
    head: ['clients', ...CONTENDERS.map((name) => `${name}\nreq/s   p50   p99 ms`), '× PostGraphile', '× pg'],
    style: { head: [], border: [] },
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { clients, measured } of lines) {
    const speeds = CONTENDERS.map((contender) => speedOf(measured[contender]));
    const [own, peer, floor] = speeds.map(({ requestsPerS }) => requestsPerS) as [number, number, number];
    table.push([clients, ...speeds.map(speedText), (own / peer).toFixed(2), (own / floor).toFixed(2)]);
  }
  return table.toString();
}

const speedText = ({ requestsPerS, p50Ms, p99Ms }: Speed): string =>
  [requestsPerS, p50Ms, p99Ms].map((value) => (value < 100 ? value.toFixed(1) : value.toFixed(0)).padStart(6)).join('');

/** What each contender was asked. */
export function operationsText({ operations }: Question): string {
  return [
    `  TerraQL       ${operations.TerraQL.says}`,
    `  PostGraphile  ${operations.PostGraphile.says}`,
    '  pg            one prepared statement whose rows are texts of JSON, sent as they are',
  ].join('\n');
}
