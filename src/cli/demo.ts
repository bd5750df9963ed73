import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { App } from '../app.ts';
import { type Config, readConfig } from '../config.ts';
import { DEFAULT_VIEWER } from '../identity/viewer.ts';
import { renderOverlay } from '../rendering/render-segmentation.ts';
import { commandLogLevel, localService, startApp } from './application/ask.ts';
import { featureRows } from './feature-rows.ts';
import { featureTable } from './feature-table.ts';
import { register, RegisteredScene } from './register.ts';
import { checkAddress } from '../http/listen.ts';
import { type CommandContext, type ServiceContext, untilInterrupted } from './application/run-command.ts';
import { AskedSegmentation, segment, SEGMENTATION_FIELDS, segmentationTable } from './segment.ts';
import { serveApp } from './serve.ts';
import { EXIT_FAILURE } from './terminal/terminal.ts';

/** Dutch national orthophoto (Beeldmateriaal / PDOK, CC BY 4.0): canal, harbour basin, quay and sheds, 25 cm a pixel. */
const IMAGE = path.resolve(import.meta.dirname, '../../test/fixtures/imagery/harbour_canal_rdnew_0m25_rgb.tif');
const SCENE_NAME = 'Harbour and canal, Netherlands (Beeldmateriaal / PDOK, CC BY 4.0)';
const PROMPTS: readonly string[] = ['water', 'what would flood first?', 'tennis courts'];
/** Smaller features are dropped; square metres. */
const MIN_AREA_M2 = 2000;
const TABLE_ROWS = 12;

const KNOWN = `query Known($name: String!, $segmentations: Int!) {
  scenes(filter: { name: $name }, first: 1) {
    nodes { id name source sha256 widthPx heightPx bands dtype crs gsdM areaM2 acquiredAt
      segmentations(first: $segmentations) { nodes { ${SEGMENTATION_FIELDS} model { sha256 } } } }
  }
  models { sha256 }
}`;

const KnownAnswer = z.object({
  scenes: z.object({
    nodes: z.array(
      RegisteredScene.extend({
        segmentations: z.object({
          nodes: z.array(AskedSegmentation.extend({ model: z.object({ sha256: z.string() }) })),
        }),
      }),
    ),
  }),
  models: z.array(z.object({ sha256: z.string() })),
});

/** Adds `terraql demo`. */
export function addDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('ask questions about a bundled image, print the polygons, and serve until stopped')
    .option('--exit', 'exit after the answers; the last line of output is one JSON object')
    .action(async ({ exit }: { exit?: boolean }) => {
      const configured = readConfig(context.environment);
      const config: Config = {
        ...configured,
        TERRAQL_SCENE_ROOTS: [...configured.TERRAQL_SCENE_ROOTS, path.dirname(IMAGE)],
      };
      if (!exit) await checkAddress(config.TERRAQL_HOST, config.TERRAQL_PORT);
      await untilInterrupted(async (signal) => {
        const app = await startApp(config, commandLogLevel(config), context.terminal);
        const tools = {
          service: localService(app, undefined, context.terminal),
          config,
          terminal: context.terminal,
          signal,
        };
        try {
          if (exit) context.terminal.write(`${JSON.stringify(await runDemo(app, tools, context))}\n`);
          else await serveApp(app, config, signal, (url) => demonstrate(app, tools, context, url));
        } finally {
          await app.close();
        }
      });
    });
}

async function demonstrate(app: App, tools: ServiceContext, context: CommandContext, url: string): Promise<void> {
  await runDemo(app, tools, context);
  const query =
    '{ features(first: 3, orderBy: { by: AREA }) { nodes { areaM2 segmentation { prompt } neighbours { totalCount } } } }';
  tools.terminal.write(
    `Look at it: ${url}\nAsk it:     curl -s ${url}/graphql -H 'content-type: application/json' -d '${JSON.stringify({ query })}'\n` +
      'Ctrl-C stops it.\n',
  );
}

/** Registers the image and asks, unless that was done before, and prints the features. */
async function runDemo(app: App, tools: ServiceContext, context: CommandContext) {
  const { terminal, service, config } = tools;
  const { scene, segmentations } = await answers(tools);
  const failed = segmentations.some(({ state }) => state !== 'SUCCEEDED');
  if (failed) context.exitCode = EXIT_FAILURE;
  terminal.write(`Scene ${scene.id}: ${scene.name}, ${scene.widthPx} x ${scene.heightPx} pixels, ${scene.crs}\n\n`);
  terminal.write(`${segmentationTable(segmentations)}\n`);
  const filter = { or: segmentations.map(({ id }) => ({ segmentationId: id })) };
  const orderBy = { by: 'AREA', direction: 'DESC' };
  terminal.write(await featureTable(featureRows(service, { filter, orderBy }, TABLE_ROWS)));
  const overlay = failed ? null : await writeOverlay(app, config, scene.id, segmentations);
  if (overlay !== null) terminal.write(`\nOverlay:    ${overlay}\n`);
  return {
    sceneId: scene.id,
    segmentations: segmentations.map(({ id, prompt, targetFound, featureCount, areaM2 }) => ({
      id,
      prompt,
      targetFound,
      featureCount,
      areaM2,
    })),
    overlay,
  };
}

/** The scene and an answer to every prompt; answers of the installed models are reused. */
async function answers(tools: ServiceContext): Promise<{ scene: RegisteredScene; segmentations: AskedSegmentation[] }> {
  const { service, terminal } = tools;
  const { scenes, models } = await service.ask(KnownAnswer, KNOWN, { name: SCENE_NAME, segmentations: 100 });
  const sha256 = createHash('sha256')
    .update(await readFile(IMAGE))
    .digest('hex');
  const known = scenes.nodes.find((candidate) => candidate.sha256 === sha256 && candidate.source === IMAGE);
  const scene = known ?? (await register(service, terminal, { path: IMAGE, name: SCENE_NAME }, path.basename(IMAGE)));
  const answered = (known?.segmentations.nodes ?? []).filter(
    ({ state, model }) => state === 'SUCCEEDED' && models.some((present) => present.sha256 === model.sha256),
  );
  const open = PROMPTS.filter((prompt) => !answered.some((segmentation) => segmentation.prompt === prompt));
  const asked =
    open.length === 0 ? [] : await segment(tools, { sceneId: scene.id, prompts: open, minAreaM2: MIN_AREA_M2 });
  const all: readonly AskedSegmentation[] = [...asked, ...answered];
  return { scene, segmentations: PROMPTS.map((prompt) => all.find((segmentation) => segmentation.prompt === prompt)!) };
}

/** @returns path of the picture, with one colour per answer */
async function writeOverlay(
  app: App,
  config: Config,
  sceneId: string,
  segmentations: readonly AskedSegmentation[],
): Promise<string> {
  const found = segmentations.filter(({ targetFound }) => targetFound === true);
  const picture = await renderOverlay(
    app.servicesFor(DEFAULT_VIEWER),
    sceneId,
    found.map(({ id, state }) => ({ id, state, sceneId })),
  );
  await mkdir(config.TERRAQL_DATA_DIR, { recursive: true });
  const file = path.resolve(config.TERRAQL_DATA_DIR, 'demo-overlay.png');
  await writeFile(file, picture);
  return file;
}
