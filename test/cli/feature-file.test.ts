import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deserialize } from 'flatgeobuf/lib/mjs/geojson.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FeatureFile, localService } from '../../src/cli/application/ask.ts';
import { BINARY_FORMATS, TEXT_FORMATS, writeFeatures } from '../../src/cli/feature-file.ts';
import { runCli } from '../../src/cli/program.ts';
import { readConfig } from '../../src/config.ts';
import { EXPORT_FORMATS } from '../../src/export/export-format.ts';
import { listen } from '../../src/http/listen.ts';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { CapturedTerminal } from './captured-terminal.ts';

let test: ServedApp;
let folder = '';
let bright = '';
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-feature-file-'));
  test = await openServedApp();
  const { segmentationIds } = await test.segment(['bright']);
  bright = segmentationIds[0]!;
  const answer = await test.ask('query($id: ID!) { segmentation(id: $id) { featureCount } }', { id: bright });
  count = answer.data.segmentation.featureCount;
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true });
});

async function features(url: string, ...words: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli(['features', ...words, '--url', url], terminal, { TERRAQL_DATA_DIR: folder });
  return { exitCode, output: terminal.output, notes: terminal.notes };
}

/** The service of this process, without a server. */
async function inProcess(format: (typeof BINARY_FORMATS)[number], output: string): Promise<string[]> {
  const terminal = new CapturedTerminal();
  const { signal } = new AbortController();
  const tools = { service: localService(test.app), config: readConfig({}), terminal, signal };
  await writeFeatures(tools, format, { filter: { segmentationId: bright }, limit: undefined }, output);
  return terminal.notes;
}

describe('terraql features --format', () => {
  it('knows the formats of the service', () => {
    const known = [...TEXT_FORMATS, ...BINARY_FORMATS].map((format) => format.toLowerCase());
    expect(known).toEqual(EXPORT_FORMATS.map(({ extension }) => extension));
    expect(TEXT_FORMATS.map((format) => format.toLowerCase())).toEqual(
      EXPORT_FORMATS.filter(({ isText }) => isText).map(({ extension }) => extension),
    );
  });

  it.each(['fgb', 'parquet', 'csv', 'ndjson', 'geojson'])(
    'saves what the route of the server gives as %s, and says how much',
    async (format) => {
      const file = path.join(folder, `bright.${format}`);
      const { exitCode, output, notes } = await features(
        test.url,
        '--segmentation',
        bright,
        '--format',
        format,
        '--output',
        file,
      );
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
      expect(notes).toEqual([expect.stringMatching(new RegExp(`^${file}: ${count} features, \\d+\\.\\d MB$`))]);
      const body = JSON.stringify({ filter: { segmentationId: bright } });
      const headers = { 'content-type': 'application/json' };
      const served = await fetch(`${test.url}/features.${format}`, { method: 'POST', headers, body });
      expect(Buffer.compare(await readFile(file), Buffer.from(await served.arrayBuffer()))).toBe(0);
    },
  );

  it('saves without a server too', async () => {
    const file = path.join(folder, 'here.fgb');
    expect(await inProcess('FGB', file)).toEqual([expect.stringMatching(/here\.fgb: \d+ features/)]);
    let read = 0;
    for await (const _ of deserialize(new Uint8Array(await readFile(file)))) read++;
    expect(read).toBe(count);
  });

  it('prints text formats, to the precision asked for', async () => {
    const { output } = await features(test.url, '--segmentation', bright, '--format', 'csv', '--precision', '3');
    expect(output.split('\r\n')[1]).toMatch(/,"(MULTI)?POLYGON\(+-104\.\d{3} /);
  });

  it('leaves with 2 where binary would go to the terminal, and where a table would go to a file', async () => {
    const binary = await features(test.url, '--format', 'parquet');
    expect(binary.exitCode).toBe(2);
    expect(binary.notes).toEqual(['terraql: --format parquet is binary; name a file with --output.']);
    const table = await features(test.url, '--output', path.join(folder, 'table.txt'));
    expect([table.exitCode, table.notes]).toEqual([2, ['terraql: --output requires a --format other than table.']]);
  });

  it('leaves with 1 and no file when the service refuses', async () => {
    const file = path.join(folder, 'refused.fgb');
    const filter = JSON.stringify({ colour: 'red' });
    const { exitCode, notes } = await features(test.url, '--format', 'fgb', '--output', file, '--filter', filter);
    expect(exitCode).toBe(1);
    expect(notes).toEqual([expect.stringMatching(/^terraql: filter\.and\.0: .*"colour"/)]);
    expect((await readdir(folder)).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('leaves with 1 and no file when the server breaks off', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'terraql-feature-count': '9', 'terraql-features-left-out': '0' });
      response.write('{"type"', () => response.destroy());
    });
    const listening = await listen(server, '127.0.0.1', 0);
    const { url } = listening;
    const file = path.join(folder, 'half.geojson');
    const { exitCode, notes } = await features(url, '--format', 'geojson', '--output', file);
    expect({ exitCode, notes }).toEqual({
      exitCode: 1,
      notes: [`terraql: ${url}/features.geojson ended before the file was complete; the server's log has the reason`],
    });
    expect((await readdir(folder)).filter((name) => name.startsWith('half'))).toEqual([]);
    await listening.stop(0);
  });

  it('leaves no file when it is interrupted', async () => {
    const controller = new AbortController();
    const terminal = new CapturedTerminal();
    const endless: FeatureFile = {
      featureCount: 2,
      withoutGeoreference: 1,
      warnings: ['the filter was repaired'],
      async *pieces() {
        for (;;) {
          yield Buffer.from('x');
          controller.abort();
        }
      },
    };
    const service = { ...localService(test.app), exportFeatures: () => Promise.resolve(endless) };
    const tools = { service, config: readConfig({}), terminal, signal: controller.signal };
    const file = path.join(folder, 'stopped.csv');
    await expect(writeFeatures(tools, 'CSV', {}, file)).rejects.toThrow(/Stopped before .*stopped\.csv was written/);
    expect(terminal.notes).toEqual(['the filter was repaired', 'omitted: 1 features of scenes without georeference']);
    expect((await readdir(folder)).filter((name) => name.startsWith('stopped'))).toEqual([]);
  });
});
