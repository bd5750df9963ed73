import Table from 'cli-table3';
import type { Measured } from './load.ts';
import type { ProcessorTime } from './processor-time.ts';
import { type Contender, CONTENDERS, type Question } from './questions.ts';

/** A round of load, and what processors worked for it. */
export interface TimedRound {
  readonly result: Measured;
  readonly spent: ProcessorTime;
}

/** What a question came to with a number of clients. */
export interface Line {
  readonly clients: number;
  /** All rounds of each contender. */
  readonly measured: Record<Contender, readonly TimedRound[]>;
}

/** Requests a second, milliseconds in which half and 99 of a hundred were answered, and processor time of each. */
export interface Speed {
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of a request, as {@link ProcessorTime}. */
  readonly serverMs: number;
  readonly databaseMs: number;
}

function speedOf(rounds: readonly TimedRound[]): Speed {
  const latencies = rounds.flatMap(({ result }) => result.latenciesMs).toSorted((a, b) => a - b);
  const sum = (value: (round: TimedRound) => number): number =>
    rounds.reduce((total, round) => total + value(round), 0);
  const elapsedMs = sum(({ result }) => result.elapsedMs);
  const each = (value: (spent: ProcessorTime) => number): number => sum(({ spent }) => value(spent)) / latencies.length;
  const quantile = (q: number): number => latencies[Math.ceil(q * latencies.length) - 1] ?? NaN;
  return {
    requestsPerS: (1000 * latencies.length) / elapsedMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    serverMs: each(({ serverMs }) => serverMs),
    databaseMs: each(({ databaseMs }) => databaseMs),
  };
}

/** The speeds of all contenders, and how many times those of the others TerraQL's is, by requests and by processor time. */
export function tableOf(lines: readonly Line[]): string {
  const table = new Table({
    head: [
      'clients',
      ...CONTENDERS.map((name) => `${name}\nreq/s   p50   p99 ms\nserver + database ms`),
      '× PostGraphile',
      '× pg',
    ],
    style: { head: [], border: [] },
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { clients, measured } of lines) {
    const speeds = CONTENDERS.map((contender) => speedOf(measured[contender]));
    const [own, peer, floor] = speeds as [Speed, Speed, Speed];
    table.push([clients, ...speeds.map(speedText), timesText(own, peer), timesText(own, floor)]);
  }
  return table.toString();
}

const speedText = ({ requestsPerS, p50Ms, p99Ms, serverMs, databaseMs }: Speed): string => {
  const shown = [requestsPerS, p50Ms, p99Ms].map((value) => (value < 100 ? value.toFixed(1) : value.toFixed(0)));
  return `${shown.map((text) => text.padStart(6)).join('')}\n${serverMs.toFixed(2)} + ${databaseMs.toFixed(2)}`;
};

const timesText = (own: Speed, other: Speed): string => {
  const processor = (other.serverMs + other.databaseMs) / (own.serverMs + own.databaseMs);
  return `${(own.requestsPerS / other.requestsPerS).toFixed(2)}\n${processor.toFixed(2)}`;
};

/** What each contender was asked. */
export function operationsText({ operations }: Question): string {
  return [
    `  TerraQL       ${operations.TerraQL.says}`,
    `  PostGraphile  ${operations.PostGraphile.says}`,
    '  pg            one prepared statement whose rows are texts of JSON, sent as they are',
  ].join('\n');
}
