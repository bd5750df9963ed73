import { deserialize } from 'flatgeobuf/lib/mjs/geojson.js';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FeatureRow } from '../../src/cli/feature-rows.ts';
import { featureTable } from '../../src/cli/feature-table.ts';
import type { Database } from '../../src/database/database.ts';
import { FEATURE_ATTRIBUTES } from '../../src/feature/feature-record.ts';
import { MEASURES } from '../../src/feature/measures.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { exported, exportServiceOn, storeForExport } from '../export/stored-exports.ts';

let test: TestApp;
let database: Database;
let listening: Listening;
beforeAll(async () => {
  test = await openTestApp({}, async () => (database = await openTestDatabase()));
  await storeForExport(database);
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
});
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

type Values = Record<string, unknown>;
/** Identifier and measures of every feature on the ground, largest first. */
type Told = readonly Values[];

const NAMES = MEASURES.map(({ name }) => name);
const told = (rows: readonly Values[]): Told =>
  rows.map((row) => Object.fromEntries(['id', ...NAMES].map((name) => [name, row[name]])));
const onGround = '(filter: { areaM2: { min: 0 } })';
const Nodes = z.object({
  data: z.object({ features: z.object({ nodes: z.array(z.record(z.string(), z.unknown())) }) }),
});
const Collection = z.object({
  features: z.array(z.object({ id: z.string(), properties: z.record(z.string(), z.unknown()) })),
});
const Edges = z.object({
  features: z.object({ edges: z.array(z.object({ node: z.record(z.string(), z.unknown()) })) }),
});
const nodesOf = (data: unknown): Values[] => Edges.parse(data).features.edges.map(({ node }) => node);
const ofCollection = (value: unknown): Told =>
  told(Collection.parse(value).features.map(({ id, properties }) => ({ id, ...properties })));
const file = (extension: string) => exported(exportServiceOn(database), extension);

async function graphql(query: string): Promise<unknown> {
  const response = await fetch(`${listening.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const csvValue = (name: string, value: string): unknown =>
  name === 'id' ? value : value === '' ? null : Number(value);

const OUTLETS: Record<string, () => Promise<Told>> = {
  'GraphQL nodes that the database writes': async () =>
    told(Nodes.parse(await graphql(`{ features${onGround} { nodes { id ${NAMES.join(' ')} } } }`)).data.features.nodes),
  featureCollection: async () => {
    const { data } = (await graphql(`{ featureCollection${onGround} }`)) as { data: { featureCollection: unknown } };
    return ofCollection(data.featureCollection);
  },
  geojson: async () => ofCollection(JSON.parse((await file('geojson')).toString())),
  ndjson: async () => {
    const lines = (await file('ndjson')).toString().trimEnd().split('\n');
    return ofCollection({ features: lines.map((line) => JSON.parse(line) as unknown) });
  },
  csv: async () => {
    const [heading, ...lines] = (await file('csv')).toString().trimEnd().split('\r\n');
    const names = heading!.split(',');
    // Prompts may have commas and quotes; what comes after them is counted from the end, before the outline.
    return told(
      lines.map((line) => {
        const [id] = line.split(',');
        const rest = line
          .slice(0, line.lastIndexOf('"', line.length - 2))
          .replace(/,$/, '')
          .split(',');
        const cells = names.slice(0, -1).map((name, index) => [name, rest.at(index - (names.length - 1))!]);
        return { ...Object.fromEntries(cells.map(([name, cell]) => [name, csvValue(name!, cell!)])), id };
      }),
    );
  },
  fgb: async () => {
    const rows: Values[] = [];
    for await (const { properties } of deserialize(new Uint8Array(await file('fgb')))) {
      rows.push(Object.fromEntries([...NAMES.map((name) => [name, null]), ...Object.entries(properties as Values)]));
    }
    return told(rows);
  },
  parquet: async () => {
    const bytes = await file('parquet');
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const rows = await parquetReadObjects({ file: buffer });
    return told(rows.map((row) => ({ ...row, pixelCount: Number(row['pixelCount']) })));
  },
};

describe('every measure', () => {
  let expected: Told;
  beforeAll(async () => {
    // Edges are resolved, never written by the database.
    const { data } = await test.ask(`{ features${onGround} { edges { node { id ${NAMES.join(' ')} } } } }`);
    expected = told(nodesOf(data));
    expect(expected).toHaveLength(5);
    for (const name of NAMES) expect(expected.some((row) => typeof row[name] === 'number')).toBe(true);
  });

  it.each(Object.entries(OUTLETS))('has the same name and value in %s', async (_outlet, read) => {
    expect(await read()).toEqual(expected);
  });

  it('has a column in the table of the command line, in its unit', async () => {
    const { data } = await test.ask(
      `{ features${onGround} { edges { node {
        id centroid ${NAMES.join(' ')} segmentation { prompt } neighbours(first: 1) { totalCount } } } } }`,
    );
    const rows = nodesOf(data).map((node) => FeatureRow.parse(node));
    const table = await featureTable(
      (async function* () {
        yield* rows;
      })(),
    );
    const [heading, first] = table.split('\n');
    for (const [index, { heading: name, unit }] of MEASURES.entries()) {
      expect(heading!.split(/ {2,}/)[index + 2]).toBe(name);
      const cell = first!.split(/ {2,}/)[index + 2]!;
      const endings = { 'm²': /(m²|ha)$/, m: /m$/, '°': /(°|–)$/, px: /^\d+$/, none: /^(\d+\.\d\d|–)$/ };
      expect(cell).toMatch(endings[unit ?? 'none']);
    }
  });

  it('has its doc in the schema and its unit among the attributes of files', () => {
    const type = buildSchema().getType('Feature');
    const fields = type && 'getFields' in type ? type.getFields() : {};
    for (const { name, doc, unit, kind } of MEASURES) {
      expect(fields[name]?.description).toBe(doc);
      expect(FEATURE_ATTRIBUTES.find((attribute) => attribute.name === name)).toMatchObject({ unit, kind, doc });
    }
  });
});
