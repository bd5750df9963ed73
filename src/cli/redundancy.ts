import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { measureRedundancy, type RedundancyImage, type RedundancyReport } from '../evaluation/redundancy.ts';
import { cosineText, redundancyPage } from '../evaluation/redundancy-page.ts';
import { readPicture } from '../evaluation/read-picture.ts';
import { VisionStages } from '../inference/vision-stages.ts';
import { verifyModel } from '../inference/manifest.ts';
import { openLocalModels } from '../inference/open-models.ts';
import { Progress } from './terminal/progress.ts';
import { type CommandContext, untilInterrupted } from './application/run-command.ts';
import { textTable } from './terminal/table.ts';
import { errorLine, InterruptedError, type Terminal, UsageError } from './terminal/terminal.ts';

interface RedundancyOptions {
  readonly model?: string;
  readonly html?: string;
  readonly json?: boolean;
}

const IMAGE_FILE = /\.(tiff?|png|jpe?g|webp)$/i;
/** Longest side at which images are read, pixels; the window is smaller. */
const LONG_SIDE_PX = 4096;

/** Adds `terraql redundancy`. */
export function addRedundancy(program: Command, context: CommandContext): void {
  program
    .command('redundancy')
    .description('measure the similarity of neighbouring visual tokens in each stage of a vision encoder')
    .argument('<scenes...>', 'images, or folders of images')
    .option('--model <id>', 'model, as listed by `models`; its folder must be on this machine')
    .option('--html <file>', 'write a page with the plot')
    .option('--json', 'print JSON')
    .action(async (scenes: string[], { model, html, json }: RedundancyOptions) => {
      const files = await imageFiles(scenes);
      const config = readConfig(context.environment);
      const report = await untilInterrupted((signal) => measure(config, files, model, signal, context.terminal));
      if (html !== undefined) {
        await writeFile(html, redundancyPage(report)).catch((error: unknown) => {
          throw new UsageError(`--html ${html}: ${errorLine(error)}`);
        });
      }
      context.terminal.write(json ? `${JSON.stringify(report)}\n` : text(report));
    });
}

/** The files themselves, and the images of folders. @throws {UsageError} */
async function imageFiles(scenes: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const scene of scenes) {
    const found = await stat(scene).catch((error: unknown) => {
      throw new UsageError(`${scene}: ${errorLine(error)}`);
    });
    if (!found.isDirectory()) files.push(path.resolve(scene));
    else {
      const images = (await readdir(scene)).filter((name) => IMAGE_FILE.test(name)).toSorted();
      if (images.length === 0) throw new UsageError(`${scene} has no image (TIFF, PNG, JPEG or WebP).`);
      files.push(...images.map((name) => path.resolve(scene, name)));
    }
  }
  return files;
}

async function measure(
  config: Config,
  files: readonly string[],
  wanted: string | undefined,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<RedundancyReport> {
  const models = await openLocalModels(config);
  const { folder, manifest } = await verifyModel(path.join(config.TERRAQL_MODELS_DIR, models.resolve(wanted)));
  const model = { id: `${manifest.name}/${manifest.version}`, windowPx: manifest.windowPx };
  const graph = manifest.files.vision.path;
  const encoder = await VisionStages.load(folder, graph, model.windowPx, config.TERRAQL_MODEL_THREADS);
  const progress = new Progress(terminal, 'Encoding');
  try {
    return await measureRedundancy(encoder, model, pictures(config, files, signal, terminal, progress));
  } finally {
    progress.stop();
    await encoder.close();
  }
}

/** The images one by one; unreadable ones are reported and skipped. */
async function* pictures(
  { TERRAQL_MAX_PIXELS }: Config,
  files: readonly string[],
  signal: AbortSignal,
  terminal: Terminal,
  progress: Progress,
): AsyncGenerator<RedundancyImage> {
  for (const [index, file] of files.entries()) {
    if (signal.aborted) throw new InterruptedError('every image was encoded');
    const name = path.basename(file);
    progress.update(index / files.length, `image ${index + 1} of ${files.length}, ${name}`);
    const picture = await readPicture(file, LONG_SIDE_PX, TERRAQL_MAX_PIXELS).catch((error: unknown) => {
      terminal.note(`terraql: skipped ${name}: ${errorLine(error)}`);
      return null;
    });
    if (picture) yield { name, widthPx: picture.width, heightPx: picture.height, rgb: picture.rgb };
  }
}

function text({ modelId, windowPx, stages, images }: RedundancyReport): string {
  const distances = Object.keys(stages[0]?.neighbours ?? {});
  const columns = ['stage', 'stride', 'tokens', ...distances.map((distance) => `${distance} apart`), 'anywhere'];
  const rows = stages.map(({ stage, strideWindowPx, tokens, neighbours, anywhere }) => [
    stage,
    `${strideWindowPx} px`,
    String(tokens),
    ...distances.map((distance) => cosineText(neighbours[distance]!.mean)),
    cosineText(anywhere.mean),
  ]);
  const headings = columns.map((heading, index) => ({
    heading,
    align: index === 0 ? ('left' as const) : ('right' as const),
  }));
  return `Cosine similarity of visual tokens: ${modelId}, ${images.length} images in windows of ${windowPx} px\n${textTable(headings, rows)}`;
}
