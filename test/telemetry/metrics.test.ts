import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetricsServer } from '../../src/http/telemetry/metrics-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { openServedApp, type ServedApp } from '../http/served-app.ts';

/** Samples of a page in Prometheus' text format, by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('the metrics of a process', () => {
  let served: ServedApp;
  let scrapes: Listening;
  beforeAll(async () => {
    served = await openServedApp();
    scrapes = await listen(createMetricsServer(served.app), '127.0.0.1', 0);
    await served.segment(['bright', 'dark']);
    await fetch(`${served.url}/graphql?query={__typename}`, { headers: { 'apollo-require-preflight': 'yes' } });
    await fetch(`${served.url}/graphql?query={nothing}`, { headers: { 'apollo-require-preflight': 'yes' } });
    await fetch(`${served.url}/tiles/features/0/0/0.mvt`);
    await fetch(`${served.url}/tiles/features/0/0/0.mvt`);
    await fetch(`${served.url}/no/such/route`);
  });
  afterAll(async () => {
    await scrapes.stop(0);
    await served.close();
  });

  const page = async (url = served.url): Promise<string> => (await fetch(`${url}/metrics`)).text();

  it('count what was asked of every part', async () => {
    const samples = samplesOf(await page());
    const at = (name: string): number | undefined => samples.get(name);
    expect(at('terraql_http_request_duration_seconds_count{method="GET",route="/graphql",status="200"}')).toBe(2);
    expect(at('terraql_http_request_duration_seconds_count{method="GET",route="other",status="404"}')).toBe(1);
    expect(at('terraql_graphql_operations_total{type="query",code="ok"}')).toBe(1);
    expect(at('terraql_graphql_operations_total{type="mutation",code="ok"}')).toBe(2);
    expect(at('terraql_windows_total{source="model"}')).toBeGreaterThan(0);
    expect(at('terraql_run_duration_seconds_count{outcome="done"}')).toBe(1);
    expect(at('terraql_model_request_duration_seconds_count{model="brightness/1",outcome="ok"}')).toBe(
      at('terraql_windows_total{source="model"}'),
    );
    expect(at('terraql_queue_segmentations{state="queued"}')).toBe(0);
    expect(at('terraql_queue_oldest_seconds')).toBe(0);
    expect(at('terraql_cache_lookups_total{cache="feature_tiles",result="miss"}')).toBe(1);
    expect(at('terraql_cache_lookups_total{cache="feature_tiles",result="hit"}')).toBe(1);
    expect(at('terraql_model_ready{model="brightness/1"}')).toBe(1);
  });

  it('label a request by the pattern of its route, never by what clients choose', async () => {
    for (const id of ['a', 'b', 'c']) await fetch(`${served.url}/segmentations/${id}/mask.png`);
    const routes = new Set([...(await page()).matchAll(/route="([^"]+)"/g)].map(([, route]) => route));
    expect([...routes].filter((route) => /\/(a|b|c)\//.test(route!))).toEqual([]);
  });

  it('are the same on the port of their own', async () => {
    const names = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
    expect(names(await page(scrapes.url))).toEqual(names(await page()));
    expect((await fetch(`${scrapes.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${scrapes.url}/graphql`)).status).toBe(404);
  });

  it("pass Prometheus' own linter, or its rules about names where promtool is not installed", async () => {
    const text = await page();
    const lint = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (!lint.error) expect([lint.status, lint.stdout + lint.stderr]).toEqual([0, '']);
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)/gm)) {
      expect(`${name} ${type === 'counter'}`).toBe(`${name} ${name!.endsWith('_total')}`);
      expect(text).toContain(`# HELP ${name} `);
    }
  });
});

describe("Grafana's dashboard", () => {
  it('asks for metrics that the service has', async () => {
    const file = path.resolve(import.meta.dirname, '../../docs/examples/grafana-dashboard.json');
    const asked = new Set((await readFile(file, 'utf8')).match(/\b(terraql|process)_[a-z_]+/g));
    const metrics = new Metrics({
      queue: async () => ({ queued: 0, running: 0, oldestQueuedS: 0 }),
      connections: () => [],
      models: () => [],
      caches: () => [],
    });
    const text = await metrics.text();
    const bare = [...asked].map((name) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(bare.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
    expect(bare.length).toBeGreaterThan(10);
  });
});
