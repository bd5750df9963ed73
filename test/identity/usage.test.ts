import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { addUsage, UsageRepository } from '../../src/identity/usage.repository.ts';
import { type DayUse, UsageMeter } from '../../src/identity/usage.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp } from '../http/served-app.ts';

let database: Database;
let test: ServedApp;
beforeAll(async () => {
  database = await openTestDatabase();
  test = await openServedApp({}, async () => database);
  await test.app.workspaces.create({ id: 'other', name: 'Other' });
});
afterAll(() => test.close());

const NOTHING = { requests: 0, cost: 0, windows: 0, modelS: 0, areaKm2: 0, bytesStored: 0, bytesSent: 0 };
const TODAY = new Date().toISOString().slice(0, 10);
const USAGE = '{ from to model requests cost windows modelS areaKm2 bytesStored bytesSent }';

interface Row extends Record<keyof typeof NOTHING, number> {
  readonly from: string;
  readonly to: string;
  readonly model: string | null;
}

/** What `usage` answers for today, over HTTP. */
async function usageToday(groupBy = ''): Promise<Row[]> {
  const query = `{ usage(from: "${TODAY}T08:00:00Z", to: "${TODAY}T09:00:00Z"${groupBy}) ${USAGE} }`;
  const response = await fetch(`${test.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: { usage: Row[] }; errors?: unknown };
  expect(errors).toBeUndefined();
  return data.usage;
}

describe('usage', () => {
  it('counts requests, cost and bytes of the workspace by day, and what a model did by model', async () => {
    await test.segment(['bright', 'dark']);
    const answer = await fetch(`${test.url}/features.geojson`, { headers: { 'accept-encoding': 'identity' } });
    const file = await answer.text();
    const [model, none] = (await usageToday(', groupBy: [DAY, MODEL]')).toSorted((a, b) => b.windows - a.windows);
    expect(none).toMatchObject({ model: null, windows: 0, modelS: 0, areaKm2: 0 });
    expect(none!.requests).toBe(2);
    expect(none!.bytesSent).toBeGreaterThan(file.length);
    expect(none!.from).toBe(`${TODAY}T00:00:00.000Z`);
    expect(Date.parse(none!.to) - Date.parse(none!.from)).toBe(86_400_000);
    expect(model).toMatchObject({ requests: 0, cost: 0, bytesSent: 0 });
    expect(model!.model).toMatch(/^brightness/);
    expect(model!.windows).toBeGreaterThan(0);
    expect(model!.modelS).toBeGreaterThan(0);
  });

  it('counts the ground of a scene once, however many prompts share the look at it', async () => {
    const scenes = (await test.ask('{ scenes { nodes { areaM2 } } }')).data as unknown as {
      scenes: { nodes: { areaM2: number }[] };
    };
    const [row] = (await usageToday(', groupBy: [MODEL]')).filter(({ model }) => model !== null);
    expect(row!.areaKm2).toBeCloseTo(scenes.scenes.nodes[0]!.areaM2 / 1e6, 6);
  });

  it('is one row without grouping, and no row without usage', async () => {
    expect(await usageToday()).toHaveLength(1);
    const answer = await test.ask(`{ usage(from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z") ${USAGE} }`);
    expect(answer.data).toEqual({ usage: [] });
    expect(await new UsageRepository(database.forWorkspace('other'), 'other').sums(TODAY, TODAY, new Set())).toEqual(
      [],
    );
  });

  it('counts images and files that are stored', async () => {
    // Comparing answers changes their counts of neighbours, which stand in the file.
    await expect
      .poll(async () => JSON.stringify((await test.ask('{ segmentations(first: 50) { nodes { compared } } }')).data), {
        timeout: 30_000,
      })
      .not.toContain('false');
    const bytes = Buffer.from(await (await fetch(`${test.url}/features.csv`)).arrayBuffer());
    const before = (await usageToday())[0]!.bytesStored;
    const made = await test.ask('mutation { createExport(input: { format: CSV }) { id } }');
    const id = (made.data as unknown as { createExport: { id: string } }).createExport.id;
    await expect
      .poll(async () => (await test.ask(`{ export(id: "${id}") { state sizeBytes } }`)).data, { timeout: 20_000 })
      .toMatchObject({ export: { state: 'SUCCEEDED', sizeBytes: bytes.length } });
    expect((await usageToday())[0]!.bytesStored - before).toBe(bytes.length);
  });

  it.each([
    ['2026-01-02T00:00:00Z', '2026-01-02T00:00:00Z', 'Argument to is 2026-01-02'],
    ['2010-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'the most is 3660'],
  ])('from %s to %s is refused', async (from, to, message) => {
    const { error } = await test.ask(`{ usage(from: "${from}", to: "${to}") ${USAGE} }`);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) as string });
  });

  it('cannot be changed by requests', async () => {
    for (const change of ['DELETE FROM usage', "UPDATE usage SET cost = 0 WHERE workspace_id = 'default'"]) {
      const changed = database.forWorkspace('default').execute(Prisma.sql`${Prisma.raw(change)}`);
      await expect(changed).rejects.toThrow(/permission denied/);
    }
  });
});

describe('a process', () => {
  const use = (workspace: string, cost: number): DayUse => ({
    ...NOTHING,
    cost,
    workspace,
    day: '2026-03-01',
    model: 'm/1',
  });
  const stored = (): Promise<unknown> =>
    new UsageRepository(database.forWorkspace('other'), 'other').sums('2026-03-01', '2026-03-02', new Set(['MODEL']));

  it('writes down what many requests used up with one statement, on the day on which it was', async () => {
    const written: (readonly DayUse[])[] = [];
    let now = '2026-03-01T23:59:59Z';
    const meter = new UsageMeter(
      async (uses) => void written.push(uses),
      () => undefined,
      () => new Date(now),
    );
    for (let count = 0; count < 1000; count++) meter.add('other', { requests: 1, bytesSent: 5 });
    now = '2026-03-02T00:00:00Z';
    meter.add('other', { requests: 1 });
    await Promise.all([meter.flush(), meter.flush()]);
    await meter.close();
    expect(written).toEqual([
      [
        { ...NOTHING, workspace: 'other', day: '2026-03-01', model: '', requests: 1000, bytesSent: 5000 },
        { ...NOTHING, workspace: 'other', day: '2026-03-02', model: '', requests: 1 },
      ],
    ]);
  });

  it('keeps what could not be written for the next time', async () => {
    const failures: unknown[] = [];
    const written: (readonly DayUse[])[] = [];
    const meter = new UsageMeter(
      async (uses) => {
        if (failures.length === 0) throw new Error('away');
        written.push(uses);
      },
      (error) => void failures.push(error),
    );
    meter.add('other', { cost: 3 });
    await meter.flush();
    meter.add('other', { cost: 4 });
    await meter.close();
    expect(failures).toHaveLength(1);
    expect(written.flat().map(({ cost }) => cost)).toEqual([7]);
  });

  it('adds to what others wrote at the same time, in any order, and drops what is of no workspace', async () => {
    const both = [use('other', 1), use('default', 1)];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        addUsage(database.forRuns, [...(index % 2 ? both : both.toReversed()), use('gone', 5)]),
      ),
    );
    expect(await stored()).toEqual([{ ...NOTHING, day: null, model: 'm/1', cost: 20 }]);
  });
});
