import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IMAGERY } from '../../http/served-app.ts';

/** What the clients of a soak met, over its whole time. */
export interface Tally {
  /** Answers by `status code`, `OK` where there was no error. */
  readonly answers: Map<string, number>;
  /** Milliseconds of each answered query. */
  readonly queryMs: number[];
  /** Milliseconds of each answered probe of `/healthz`. */
  readonly healthMs: number[];
  /** Segmentations that ended, by state. */
  readonly runs: Map<string, number>;
  /** What must never happen, with what was asked. */
  readonly faults: string[];
}

export const newTally = (): Tally => ({ answers: new Map(), queryMs: [], healthMs: [], runs: new Map(), faults: [] });

export function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Longitudes and latitudes of the suburb of the fixtures, and a place in it. */
export const SUBURB_BOX = [-104.776, 38.953, -104.774, 38.955] as const;
const PLACE = { type: 'Point', coordinates: [-104.775, 38.954] };
const QUERIES: readonly (readonly [query: string, variables?: object])[] = [
  ['{ features(first: 20) { totalCount nodes { areaM2 perimeterM } } }'],
  [
    'query ($bbox: [Float!]) { features(filter: { bbox: $bbox }, first: 50) { nodes { areaM2 geometry } } }',
    { bbox: SUBURB_BOX },
  ],
  [
    '{ features(filter: { promptContains: "water" }, first: 10) { totalCount nodes { segmentation { prompt scene { name } } } } }',
  ],
  ['{ featureStatistics(groupBy: [PROMPT]) { key featureCount areaM2 } }'],
  ['{ scenes(first: 10) { nodes { name segmentations(first: 5) { nodes { prompt featureCount } } } } }'],
  [
    '{ features(first: 10, filter: { areaM2: { min: 100 } }) { nodes { neighbours(first: 5) { edges { gapM node { areaM2 } } } } } }',
  ],
  [
    'query ($place: GeoJSONGeometry!) { features(filter: { near: { geometry: $place, withinM: 100 } }, first: 10) { nodes { areaM2 distanceM } } }',
    { place: PLACE },
  ],
  ['{ segmentations(first: 20) { totalCount nodes { state prompt } } }'],
];
/** Codes that a client may meet while the process is killed, or where it asks for too much. */
const FAULT = /INTERNAL_SERVER_ERROR/;

interface Run {
  readonly state: string;
  readonly failure: { readonly code: string } | null;
}

interface Answer {
  readonly data?: {
    readonly createUpload?: { readonly id: string; readonly url: string };
    readonly registerScene?: { readonly id: string };
    readonly scene?: { readonly id: string } | null;
    readonly segment?: readonly Run[];
    readonly features?: {
      readonly nodes: readonly { readonly id: string }[];
      readonly pageInfo: { readonly endCursor: string | null };
    };
  } | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export class SoakClient {
  constructor(
    private readonly url: string,
    private readonly tally: Tally,
    private readonly random: () => number,
  ) {}

  /** @returns null where the service could not be reached, as while it is restarted */
  async ask(query: string, variables: object = {}): Promise<Answer | null> {
    const begun = performance.now();
    try {
      const response = await fetch(`${this.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(60_000),
      });
      const answer = (await response.json()) as Answer;
      const code = answer.errors?.[0]?.extensions?.code ?? 'OK';
      count(this.tally.answers, `${response.status} ${code}`);
      if (FAULT.test(code)) this.tally.faults.push(`${answer.errors![0]!.message}: ${query.slice(0, 200)}`);
      this.tally.queryMs.push(performance.now() - begun);
      return answer;
    } catch (error) {
      count(this.tally.answers, error instanceof Error ? error.name : 'Error');
      await sleep(500);
      return null;
    }
  }

  async askAnything(): Promise<void> {
    const [query, variables] = QUERIES[Math.floor(this.random() * QUERIES.length)]!;
    await this.ask(query, variables);
  }

  async probe(): Promise<void> {
    const begun = performance.now();
    const response = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(60_000) }).catch(() => null);
    if (!response) return;
    await response.arrayBuffer();
    this.tally.healthMs.push(performance.now() - begun);
  }

  /** Uploads bytes and registers them; a damaged image is refused, which is an answer too. */
  async register(name: string, bytes: Uint8Array): Promise<string | null> {
    const created = await this.ask(
      'mutation ($name: String!, $size: Float!) { createUpload(filename: $name, sizeBytes: $size) { id url } }',
      { name, size: bytes.length },
    );
    const upload = created?.data?.createUpload;
    if (!upload) return null;
    const put = await fetch(upload.url, { method: 'PUT', body: bytes, signal: AbortSignal.timeout(60_000) }).catch(
      () => null,
    );
    await put?.arrayBuffer().catch(() => null);
    const registered = await this.ask('mutation ($id: ID!) { registerScene(input: { uploadId: $id }) { id } }', {
      id: upload.id,
    });
    return registered?.data?.registerScene?.id ?? null;
  }

  /** Asks one new question of a scene and waits for its end. */
  async segment(sceneId: string): Promise<void> {
    const asked = await this.ask(
      'mutation ($input: SegmentInput!) { segment(input: $input) { id state failure { code } } }',
      { input: { sceneId, prompts: [`water ${randomUUID()}`], scale: 'WHOLE', waitS: 50 } },
    );
    const run = asked?.data?.segment?.[0];
    if (run) count(this.tally.runs, run.failure ? `${run.state} ${run.failure.code}` : run.state);
  }

  async deleteScene(id: string): Promise<void> {
    await this.ask('mutation ($id: ID!) { deleteScene(id: $id) }', { id });
  }
}

/** The fixtures' images, each damaged in a few bytes, cut short or whole. */
export async function imageSupply(
  random: () => number,
): Promise<() => { readonly name: string; readonly bytes: Uint8Array }> {
  const odd = path.join(IMAGERY, 'odd');
  const names = (await readdir(odd)).filter((name) => /\.(tif|png|jpg|webp)$/.test(name));
  const images = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(path.join(odd, name)) })));
  return () => {
    const { name, bytes: original } = images[Math.floor(random() * images.length)]!;
    const bytes = Uint8Array.from(
      random() < 0.2 ? original.subarray(0, Math.floor(random() * original.length)) : original,
    );
    for (let i = 0; i < random() * 8 && bytes.length > 0; i++) {
      // Headers are where damage tells most.
      const reach = random() < 0.7 ? Math.min(600, bytes.length) : bytes.length;
      bytes[Math.floor(random() * reach)] = Math.floor(random() * 256);
    }
    return { name, bytes };
  };
}
