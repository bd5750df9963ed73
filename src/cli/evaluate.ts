import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { type AnsweredQuestion, askSamples } from '../evaluation/ask-samples.ts';
import { evaluationPage } from '../evaluation/evaluation-page.ts';
import {
  COMPARISON_NOTE,
  type EvaluationReport,
  evaluationReport,
  reportTables,
} from '../evaluation/evaluation-report.ts';
import type { LabelledDataset } from '../evaluation/labelled-dataset.ts';
import { openDataset } from '../evaluation/open-dataset.ts';
import { readPicture } from '../evaluation/read-picture.ts';
import { SEGMENTATION_SCALES } from '../segmentation/segmentation.ts';
import { localService } from './application/ask.ts';
import { choice, parseCount } from './terminal/options.ts';
import { Progress } from './terminal/progress.ts';
import type { CommandContext } from './application/run-command.ts';
import { textTable } from './terminal/table.ts';
import { errorLine, InterruptedError, type Terminal, UsageError } from './terminal/terminal.ts';
import { withThrowAwayApp } from './application/throw-away-app.ts';

interface EvaluateOptions {
  readonly split: string;
  readonly model?: string;
  readonly scale: string;
  readonly questions: string;
  readonly limit?: number;
  readonly html?: string;
  readonly json?: boolean;
}

/** Adds `terraql evaluate`. */
export function addEvaluate(program: Command, context: CommandContext): void {
  program
    .command('evaluate')
    .description(
      'measure the service on labelled images: ask every question in a temporary database and compare the masks',
    )
    .argument('<folder>', 'folder with a dataset.json, or EarthReason with its images, labels and QAs')
    .option('--split <name>', 'split of EarthReason', 'val')
    .option('--model <id>', 'model, as listed by `models`')
    .addOption(
      choice('--scale <scale>', 'scale at which the model sees the images', SEGMENTATION_SCALES).default(
        'AUTO',
        'auto',
      ),
    )
    .addOption(choice('--questions <which>', 'questions of each sample', ['FIRST', 'ALL']).default('ALL', 'all'))
    .option('--limit <count>', 'maximum number of images', parseCount)
    .option('--html <file>', 'write a page with pictures of the best, median and worst answers')
    .option('--json', 'print JSON')
    .action(async (folder: string, options: EvaluateOptions) => {
      const dataset = await openDataset(folder, options.split);
      await withThrowAwayApp(context, [dataset.folder], async (app, signal) => {
        const { report, answered } = await measure(app, dataset, options, signal, context.terminal);
        if (options.html !== undefined) {
          const read = (image: string, px: number) => readPicture(image, px, app.config.TERRAQL_MAX_PIXELS);
          await writePage(options.html, await evaluationPage(report, answered, read));
        }
        context.terminal.write(options.json ? `${JSON.stringify(report)}\n` : text(report));
      });
    });
}

async function measure(
  app: App,
  dataset: LabelledDataset,
  { model, scale, questions, limit }: EvaluateOptions,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<{ report: EvaluationReport; answered: readonly AnsweredQuestion[] }> {
  const { info } = await app.models.get(model);
  const progress = new Progress(terminal, `Evaluating ${dataset.name}`);
  try {
    const { answered, problems } = await askSamples(localService(app), dataset, limit ?? null, {
      modelId: info.id,
      windowPx: info.windowPx,
      scale,
      everyQuestion: questions === 'ALL',
      maxPrompts: app.config.TERRAQL_MAX_PROMPTS,
      signal,
      onImage: (done, total, image) =>
        progress.update(done / total, `image ${done + 1} of ${total}, ${path.basename(image)}`),
    });
    const { name, split } = dataset;
    const report = evaluationReport(
      {
        model: { id: info.id, sha256: info.sha256, windowPx: info.windowPx },
        dataset: { name, split, complete: limit === undefined, leftOut: problems },
        scale,
      },
      answered.map(({ asked }) => asked),
    );
    return { report, answered };
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('every question was answered');
    throw error;
  } finally {
    progress.stop();
  }
}

function text(report: EvaluationReport): string {
  const { model, dataset, allQuestions, scale } = report;
  const tables = reportTables(report).map(({ title, headings, rows, words }) => {
    const columns = headings.map((heading, i) => ({
      heading,
      align: i < words ? ('left' as const) : ('right' as const),
    }));
    return `${title}\n${textTable(columns, rows)}`;
  });
  const [first] = dataset.leftOut;
  const leftOut = first === undefined ? [] : [`skipped: ${dataset.leftOut.length} samples; first reason: ${first}\n`];
  const head = `${model.id} on ${dataset.name}: ${allQuestions.questions} questions, ${allQuestions.images} images, scale ${scale}; percent\n`;
  return [head, ...tables, ...leftOut, `${COMPARISON_NOTE}\n`].join('\n');
}

async function writePage(file: string, page: string): Promise<void> {
  await writeFile(file, page).catch((error: unknown) => {
    throw new UsageError(`--html ${file}: ${errorLine(error)}`);
  });
}
