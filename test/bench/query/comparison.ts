import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pool } from 'undici';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';
import { checkAnswers, type CheckedQuestion } from './check-answers.ts';
import { type CheckedRequest, load, type Measured } from './load.ts';
import { ProcessorClock } from './processor-time.ts';
import { type Contender, CONTENDERS, placesOf, type Question } from './questions.ts';
import type { Line, TimedRound } from './report.ts';
import { gridOf } from './seed-city.ts';
import { installPostGraphile, type Running, startContender } from './start-contenders.ts';

const CLIENTS = [1, 8, 32] as const;
const ROUNDS = 3;
/** Node compiles what runs often: a server is as quick as it gets after some thousand requests. */
const WARM_UP_MS = 8000;

export interface Settings {
  readonly features: number;
  /** Of each contender, for each question and number of clients. */
  readonly seconds: number;
  /** As for {@link openBenchDatabase}. */
  readonly keptName: string | null;
}

/** Contenders that run on one seeded database. */
export class Comparison {
  private constructor(
    private readonly database: BenchDatabase,
    private readonly dataDir: string,
    private readonly running: Record<Contender, Running>,
    private readonly clock: ProcessorClock,
    private readonly settings: Settings,
  ) {}

  /** @param serverUrl as for {@link openBenchDatabase} */
  static async open(serverUrl: string, settings: Settings): Promise<Comparison> {
    installPostGraphile();
    const database = await openBenchDatabase(serverUrl, settings.features, settings.keptName);
    const dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-bench-'));
    const started: Running[] = [];
    try {
      for (const contender of CONTENDERS) {
        console.log(`starting ${contender} ...`);
        started.push(await startContender(contender, database.url, dataDir));
      }
      const [TerraQL, PostGraphile, floor] = started as [Running, Running, Running];
      const clock = await ProcessorClock.open(database.url);
      return new Comparison(database, dataDir, { TerraQL, PostGraphile, pg: floor }, clock, settings);
    } catch (error) {
      for (const server of started) await server.stop();
      await database.release();
      throw error;
    }
  }

  poolOf(contender: Contender): Pool {
    return this.running[contender].pool;
  }

  versions(): string {
    return CONTENDERS.map((contender) => `${contender} on ${this.running[contender].version}`).join(', ');
  }

  /** @throws where contenders answer differently */
  check(question: Question): Promise<CheckedQuestion> {
    return checkAnswers(question, placesOf(question, gridOf(this.settings.features)), this.running);
  }

  /** Measures all contenders in turns. */
  async measure({ requests }: CheckedQuestion): Promise<Line[]> {
    for (const contender of CONTENDERS) await this.load(contender, requests, 8, WARM_UP_MS);
    const lines: Line[] = [];
    for (const clients of CLIENTS) {
      console.log(`  ${clients} ${clients === 1 ? 'client' : 'clients'}, ${ROUNDS} rounds ...`);
      const measured: Record<Contender, TimedRound[]> = { TerraQL: [], PostGraphile: [], pg: [] };
      for (let round = 0; round < ROUNDS; round++) {
        for (const turn of CONTENDERS.keys()) {
          const contender = CONTENDERS[(turn + round) % CONTENDERS.length]!;
          const durationMs = (1000 * this.settings.seconds) / ROUNDS;
          const work = (): Promise<Measured> => this.load(contender, requests, clients, durationMs);
          measured[contender].push(await this.clock.during(this.running[contender].pid, work));
        }
      }
      lines.push({ clients, measured });
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.clock.close();
    for (const contender of CONTENDERS) await this.running[contender].stop();
    await this.database.release();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private load(
    contender: Contender,
    requests: Record<Contender, readonly CheckedRequest[]>,
    clients: number,
    durationMs: number,
  ): Promise<Measured> {
    return load(this.poolOf(contender), requests[contender], clients, durationMs);
  }
}
