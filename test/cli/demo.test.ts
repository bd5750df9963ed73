import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../src/cli/program.ts';
import { CapturedTerminal } from './captured-terminal.ts';

const Summary = z.strictObject({
  sceneId: z.string(),
  segmentations: z.array(
    z.strictObject({
      id: z.string(),
      prompt: z.string(),
      targetFound: z.boolean(),
      featureCount: z.number(),
      areaM2: z.number(),
    }),
  ),
  overlay: z.string(),
});

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-demo-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function demo() {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli(['demo', '--exit'], terminal, {
    TERRAQL_DATA_DIR: dataDir,
    TERRAQL_LOG_LEVEL: 'silent',
  });
  expect({ exitCode, errors: terminal.notes.filter((line) => line.startsWith('terraql:')) }).toEqual({
    exitCode: 0,
    errors: [],
  });
  return { text: terminal.output, summary: Summary.parse(JSON.parse(terminal.output.trimEnd().split('\n').at(-1)!)) };
}

describe('terraql demo --exit', () => {
  it('answers with the bundled model, twice the same', { timeout: 600_000 }, async () => {
    const { text, summary } = await demo();
    const found = summary.segmentations.filter(({ targetFound }) => targetFound);
    expect(found.length).toBeGreaterThan(0);
    for (const { featureCount, areaM2 } of found) {
      expect(featureCount).toBeGreaterThan(0);
      // The scene is 250 m by 250 m.
      expect(areaM2).toBeGreaterThan(0);
      expect(areaM2).toBeLessThan(250 * 250 * 1.01);
    }
    for (const { featureCount, targetFound } of summary.segmentations) expect(featureCount > 0).toBe(targetFound);
    expect(text).toMatch(/^ *1\s+\S.* (ha|m²)/m);
    expect(await sharp(summary.overlay).metadata()).toMatchObject({ format: 'png', width: 1000, height: 1000 });
    expect((await demo()).summary).toEqual(summary);
  });
});
