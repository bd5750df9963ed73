import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';

interface Job {
  readonly jobID: string;
  readonly status: string;
  readonly progress: number;
  readonly links: readonly { readonly rel: string; readonly href: string }[];
}
type Results = Readonly<Record<'features' | 'mask', { readonly href: string }>>;

let served: ServedApp;
let sceneId: string;
beforeAll(async () => {
  served = await openServedApp();
  ({ sceneId } = await served.segment(['dark']));
});
afterAll(() => served.close());

const execute = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${served.url}/ogc/processes/segment/execution`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const read = async <Document>(href: string): Promise<Document> => (await (await fetch(href)).json()) as Document;

describe('the process segment', () => {
  it('is described with its inputs and outputs', async () => {
    const list = await read<{ processes: { id: string }[] }>(`${served.url}/ogc/processes`);
    expect(list.processes.map(({ id }) => id)).toEqual(['segment']);
    const described = await read<{ inputs: object; outputs: object }>(`${served.url}/ogc/processes/segment`);
    expect(Object.keys(described.inputs)).toEqual(expect.arrayContaining(['sceneId', 'prompt', 'areaOfInterest']));
    expect(Object.keys(described.outputs)).toEqual(['features', 'mask']);
  });

  it('answers with references to results that can be read', async () => {
    const response = await execute({ inputs: { sceneId, prompt: 'bright' } });
    expect(response.status).toBe(200);
    const { features, mask } = (await response.json()) as Results;
    const found = await read<{ numberMatched: number; features: { properties: { prompt: string } }[] }>(features.href);
    expect(found.numberMatched).toBeGreaterThan(0);
    expect(found.features.every(({ properties }) => properties.prompt === 'bright')).toBe(true);
    expect((await fetch(mask.href)).headers.get('content-type')).toContain('image/tiff');
  });

  it('gives a job to a client that prefers to come back, until its results are there', async () => {
    const response = await execute({ inputs: { sceneId, prompt: 'dark', force: true } }, { prefer: 'respond-async' });
    expect(response.status).toBe(201);
    expect(response.headers.get('preference-applied')).toBe('respond-async');
    const location = response.headers.get('location')!;
    let job = await read<Job>(location);
    while (job.status === 'accepted' || job.status === 'running') job = await read<Job>(location);
    expect(job).toMatchObject({ status: 'successful', progress: 100, processID: 'segment' });
    expect(await read<Results>(job.links.find(({ rel }) => rel.endsWith('/results'))!.href)).toHaveProperty('features');
    const { jobs } = await read<{ jobs: Job[] }>(`${served.url}/ogc/jobs?limit=1`);
    expect(jobs.map(({ jobID }) => jobID)).toEqual([job.jobID]);
    const dismissed = await fetch(location, { method: 'DELETE' });
    expect(dismissed.status).toBe(400);
    expect(await dismissed.text()).toContain('SEGMENTATION_FINISHED');
  });

  it.each([
    [{}, 400, 'The body must be'],
    [{ inputs: { prompt: 'bright' } }, 400, 'sceneId'],
    [{ inputs: { sceneId: 'x', prompt: 'bright' } }, 404, 'Scene x does not exist.'],
    [{ inputs: { sceneId: 'x', prompt: 7 } }, 400, 'prompts'],
    [{ inputs: { sceneId: 'x', prompt: 'bright', colour: 'red' } }, 400, 'colour'],
  ])('refuses %j with %d', async (body, status, message) => {
    const response = await execute(body);
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(message)]);
  });

  it('is the only process, and knows no other job', async () => {
    expect((await fetch(`${served.url}/ogc/processes/buffer`)).status).toBe(404);
    expect((await fetch(`${served.url}/ogc/jobs/nowhere`)).status).toBe(404);
    expect((await fetch(`${served.url}/ogc/jobs/nowhere/results`)).status).toBe(404);
  });
});
