import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import Table from 'cli-table3';
import { type CheckedRequest, load, type Measured, send } from '../query/load.ts';
import type { ProcessorClock } from '../query/processor-time.ts';
import type { Running } from '../query/start-contenders.ts';

/** Servers are as quick as they get after some hundred requests. */
const WARM_UP_MS = 3000;
const ROUNDS = 3;
/** Features come in any order where a server gives none, which changes how their attributes are packed. */
const TOLERANCE = 0.05;

/** A server in the race. */
export interface Racer {
  readonly name: string;
  readonly server: Running;
  /** Paths of the tiles, the same tiles in the same order for every racer. */
  readonly paths: readonly string[];
}

interface Timed {
  readonly result: Measured;
  readonly spent: { readonly serverMs: number; readonly databaseMs: number };
}

/**
 * Races servers for the same tiles, in turns of short rounds.
 * @param clients at once
 * @param unit what is answered, in the plural
 * @returns a table: requests a second, latency, processor time, bytes a tile, and the speed of the first against each
 */
export async function race(
  title: string,
  racers: readonly Racer[],
  clock: ProcessorClock,
  seconds: number,
  clients: number,
  unit = 'tiles',
): Promise<string> {
  const requests = new Map<Racer, CheckedRequest[]>();
  const sizes = new Map<Racer, string>();
  for (const racer of racers) {
    const answers = await answersOf(racer);
    requests.set(
      racer,
      racer.paths.map((path, index) => ({ path, body: null, answerBytes: answers[index]!.length })),
    );
    sizes.set(racer, sizesOf(answers));
    await load(racer.server.pool, requests.get(racer)!, clients, WARM_UP_MS, TOLERANCE);
  }
  const timed = new Map<Racer, Timed[]>(racers.map((racer) => [racer, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const turn of racers.keys()) {
      const racer = racers[(turn + round) % racers.length]!;
      const work = (): Promise<Measured> =>
        load(racer.server.pool, requests.get(racer)!, clients, (1000 * seconds) / ROUNDS, TOLERANCE);
      timed.get(racer)!.push(await clock.during(racer.server.pid, work));
    }
  }
  return tableOf([title, `${unit}/s`], racers, timed, sizes);
}

async function answersOf({ server, paths, name }: Racer): Promise<Buffer[]> {
  const answers: Buffer[] = [];
  for (const path of paths) answers.push(await buffer((await send(server.pool, path, null)) as AsyncIterable<Buffer>));
  if (answers.every(({ length }) => length === 0)) throw new Error(`${name} answers with empty tiles alone`);
  return answers;
}

function sizesOf(answers: readonly Buffer[]): string {
  const mean = (sum: number): string => (sum / answers.length / 1000).toFixed(1);
  const plain = answers.reduce((sum, { length }) => sum + length, 0);
  const zipped = answers.reduce((sum, answer) => sum + gzipSync(answer).length, 0);
  return `${mean(plain)} / ${mean(zipped)}`;
}

function tableOf(
  heads: readonly [title: string, speed: string],
  racers: readonly Racer[],
  timed: ReadonlyMap<Racer, readonly Timed[]>,
  sizes: ReadonlyMap<Racer, string>,
): string {
  const table = new Table({
    head: [...heads, 'p50 ms', 'p99 ms', 'CPU ms', 'of it database', 'kB / gzip', 'TerraQL ×', '× by CPU'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  const speeds = racers.map((racer) => speedOf(timed.get(racer)!));
  const [own] = speeds as [Speed];
  for (const [index, racer] of racers.entries()) {
    const speed = speeds[index]!;
    const times = [own.perSecond / speed.perSecond, speed.cpuMs / own.cpuMs].map((value) => value.toFixed(2));
    const shown = [speed.perSecond, speed.p50Ms, speed.p99Ms, speed.cpuMs, speed.databaseMs].map((value) =>
      value < 100 ? value.toFixed(1) : value.toFixed(0),
    );
    table.push([racer.name, ...shown, sizes.get(racer)!, ...times]);
  }
  return table.toString();
}

interface Speed {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of server and database for a tile. */
  readonly cpuMs: number;
  readonly databaseMs: number;
}

function speedOf(rounds: readonly Timed[]): Speed {
  const latencies = rounds.flatMap(({ result }) => result.latenciesMs).toSorted((a, b) => a - b);
  const elapsedMs = rounds.reduce((sum, { result }) => sum + result.elapsedMs, 0);
  const cpuMs = rounds.reduce((sum, { spent }) => sum + spent.serverMs + spent.databaseMs, 0);
  const quantile = (q: number): number => latencies[Math.ceil(q * latencies.length) - 1] ?? NaN;
  return {
    perSecond: (1000 * latencies.length) / elapsedMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    cpuMs: cpuMs / latencies.length,
    databaseMs: rounds.reduce((sum, { spent }) => sum + spent.databaseMs, 0) / latencies.length,
  };
}
