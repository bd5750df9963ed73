import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ServedApp, openServedApp } from '../http/served-app.ts';

let test: ServedApp;
let client: Client;
beforeAll(async () => {
  test = await openServedApp();
  client = createClient({ url: `${test.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
});
afterAll(async () => {
  await client.dispose();
  await test.close();
});

interface Told {
  readonly cursor: string;
  readonly state?: string;
  readonly featureCount?: number;
  readonly segmentation: { readonly id: string; readonly prompt: string };
  readonly features?: { readonly totalCount: number };
}

/** Reads a subscription until that many events have come. */
async function read(query: string, variables: Record<string, unknown>, events: number): Promise<Told[]> {
  const told: Told[] = [];
  for await (const { data, errors } of client.iterate<Record<string, Told>>({ query, variables })) {
    if (errors) throw new Error(JSON.stringify(errors));
    told.push(Object.values(data ?? {})[0]!);
    if (told.length === events) break;
  }
  return told;
}

const CHANGED = `subscription ($filter: SegmentationFilter, $after: String) {
  segmentationsChanged(filter: $filter, after: $after) { cursor state segmentation { id prompt } }
}`;
const ADDED = `subscription ($filter: FeatureFilter, $after: String) {
  featuresAdded(filter: $filter, after: $after) { cursor featureCount segmentation { id prompt } features(first: 1) { totalCount } }
}`;

describe('a subscription to what is stored', () => {
  it('sends matching segmentations, and continues after a cursor without a gap', async () => {
    const begun = read(CHANGED, { filter: { promptContains: 'bright' } }, 3);
    await sleep(300);
    await test.segment(['dark', 'bright']);
    const told = await begun;
    expect(told.map(({ state, segmentation: { prompt } }) => [state, prompt])).toEqual([
      ['QUEUED', 'bright'],
      ['RUNNING', 'bright'],
      ['SUCCEEDED', 'bright'],
    ]);
    const again = await read(CHANGED, { filter: { promptContains: 'bright' }, after: told[0]!.cursor }, 2);
    expect(again).toEqual(told.slice(1));
  }, 60_000);

  it('tells of features that match a filter, and of nothing where none does', async () => {
    const from = (await read(CHANGED, { after: '0-0' }, 1))[0]!.cursor;
    const all = await read(ADDED, { after: from }, 2);
    expect(all.map(({ segmentation }) => segmentation.prompt).toSorted()).toEqual(['bright', 'dark']);
    const [bright] = await read(ADDED, { filter: { prompt: 'bright' }, after: from }, 1);
    expect(bright).toMatchObject({ segmentation: { prompt: 'bright' } });
    expect(bright!.featureCount).toBe(bright!.features!.totalCount);
  }, 60_000);

  it.each([
    ['a cursor that is none', ADDED, { after: 'x' }, 'INVALID_CURSOR'],
    ['a filter that is refused', ADDED, { filter: { areaM2: { min: 2, max: 1 } } }, 'INVALID_FILTER'],
  ])('with %s is refused', async (_what, query, variables, code) => {
    await expect(read(query, variables, 1)).rejects.toThrow(code);
  });
});
