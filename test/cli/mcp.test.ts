import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { CapturedTerminal } from './captured-terminal.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
let test: ServedApp;
let clients: Readonly<Record<'reader' | 'writer', Client>>;
let sceneId = '';

/** The SDK's client, with the command as its server. */
async function connected(words: readonly string[], key: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--import', 'tsx', MAIN, 'mcp', '--url', test.url, ...words],
    env: { PATH: process.env['PATH'] ?? '', TERRAQL_API_KEY: key, TERRAQL_DATA_DIR: test.root },
    stderr: 'ignore',
  });
  await client.connect(transport);
  return client;
}

beforeAll(async () => {
  test = await openServedApp({ TERRAQL_AUTH: 'required' });
  sceneId = (await test.segment(['bright'])).sceneId;
  const { apiKeys } = test.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' });
  const { secret } = await apiKeys.create({ name: 'model', role: 'analyst', expiresAt: null });
  const [reader, writer] = await Promise.all([connected([], secret), connected(['--allow-writes'], secret)]);
  clients = { reader, writer };
});
afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await test.close();
});

interface Answer {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- of any tool
  readonly content: readonly { readonly text: string }[];
}
const call = async (client: Client, name: string, input: Record<string, unknown> = {}): Promise<Answer> =>
  (await client.callTool({ name, arguments: input })) as unknown as Answer;

describe('terraql mcp', () => {
  it('offers what reads, and with --allow-writes what changes', async () => {
    const { tools } = await clients.reader.listTools();
    const reading = ['scenes', 'segmentation', 'features', 'statistics', 'query'];
    expect(tools.map(({ name }) => name)).toEqual(reading);
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint)).toBe(true);
    const all = (await clients.writer.listTools()).tools.map(({ name }) => name);
    expect(all.toSorted()).toEqual([...reading, 'register', 'ask'].toSorted());
  });

  it('answers with what is stored, page after page', async () => {
    const scenes = await call(clients.reader, 'scenes');
    expect(scenes.structuredContent!['scenes'].nodes).toMatchObject([{ id: sceneId, name: '<Suburb>' }]);
    const asked = { filter: { prompt: 'bright' }, orderBy: { by: 'AREA', direction: 'DESC' }, first: 2 };
    const first = (await call(clients.reader, 'features', asked)).structuredContent!['features'];
    expect(first.nodes).toHaveLength(2);
    expect(first.nodes[0]).not.toHaveProperty('geometry');
    const more = { ...asked, after: first.pageInfo.endCursor, geometry: true };
    const second = (await call(clients.reader, 'features', more)).structuredContent!['features'];
    expect(second.nodes[0].areaM2).toBeLessThanOrEqual(first.nodes[1].areaM2);
    expect(second.nodes[0].geometry.type).toMatch(/Polygon$/);
    const { structuredContent: counted } = await call(clients.reader, 'statistics', { groupBy: ['PROMPT'] });
    expect(counted!['featureStatistics']).toMatchObject([{ key: ['bright'], featureCount: first.totalCount }]);
  });

  it('runs GraphQL, and refuses mutations unless they are allowed', async () => {
    const document = 'query($n: Int) { features(first: $n) { totalCount } }';
    const { structuredContent } = await call(clients.reader, 'query', { document, variables: { n: 1 } });
    expect(structuredContent!['features'].totalCount).toBeGreaterThan(1);
    const mutation = { document: `mutation { deleteScene(id: "${sceneId}") }` };
    const refused = await call(clients.reader, 'query', mutation);
    expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('--allow-writes') }] });
    const mixed = { document: `query A { __typename } ${mutation.document.replace('mutation', 'mutation B')}` };
    expect(await call(clients.reader, 'query', mixed)).toMatchObject({ isError: true });
    const asked = { document: 'subscription { featuresAdded { cursor } }' };
    expect(await call(clients.writer, 'query', asked)).toMatchObject({ isError: true });
    expect(await call(clients.reader, 'query', { document: '{' })).toMatchObject({ isError: true });
    expect((await call(clients.reader, 'scenes')).structuredContent!['scenes'].totalCount).toBe(1);
  });

  it('registers and asks', async () => {
    const registered = await call(clients.writer, 'register', { path: SUBURB, name: 'Again' });
    const { id } = registered.structuredContent!['registerScene'];
    const { structuredContent } = await call(clients.writer, 'ask', { sceneId: id, prompts: ['dark'] });
    const [answer] = structuredContent!['segment'];
    expect(answer).toMatchObject({ prompt: 'dark', state: 'SUCCEEDED', featureCount: expect.any(Number) });
    const looked = await call(clients.reader, 'segmentation', { id: answer.id });
    expect(looked.structuredContent).toMatchObject({ segmentation: { scene: { id, name: 'Again' } } });
  });

  it('says what the service refuses, with its code', async () => {
    const refused = await call(clients.writer, 'ask', {
      sceneId: '01890000-0000-7000-8000-000000000000',
      prompts: ['x'],
    });
    expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^SCENE_NOT_FOUND: /) }] });
    expect(await call(clients.reader, 'register', { path: SUBURB })).toMatchObject({ isError: true });
  });

  it('does not start with a key that is refused', async () => {
    const terminal = new CapturedTerminal();
    const environment = { TERRAQL_API_KEY: 'tql_nonsense', TERRAQL_DATA_DIR: test.root };
    expect(await runCli(['mcp', '--url', test.url], terminal, environment)).toBe(1);
    expect(terminal.notes.at(-1)).toContain('The API key');
  });
});
