import type { Command } from 'commander';
import { z } from 'zod';
import { areaText } from '../measure-text.ts';
import { SEGMENTATION_TASKS } from '../inference/segmentation-model.ts';
import { SEGMENTATION_SCALES, SEGMENTATION_STATES } from '../segmentation/segmentation.ts';
import { choice, parseNumber, readGeometry, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { Progress } from './terminal/progress.ts';
import { type CommandContext, type ServiceContext, untilAborted, withService } from './application/run-command.ts';
import { textTable } from './terminal/table.ts';
import { EXIT_FAILURE, InterruptedError, UsageError } from './terminal/terminal.ts';

/** Fields of {@link AskedSegmentation}. */
export const SEGMENTATION_FIELDS = `id prompt state targetFound emptyReason featureCount areaM2
  progress { phase windowsDone windowsTotal fraction etaS } failure { code message }
  mask { meanProbability overlayUrl pngUrl geotiffUrl }`;
const SEGMENT = `mutation Segment($input: SegmentInput!) { segment(input: $input) { ${SEGMENTATION_FIELDS} } }`;
const PROGRESS = `subscription Progress($id: ID!) { segmentationProgress(id: $id) { ${SEGMENTATION_FIELDS} } }`;
const CANCEL = `mutation Cancel($id: ID!) { cancelSegmentation(id: $id) { id } }`;

export const AskedSegmentation = z.object({
  id: z.string(),
  prompt: z.string(),
  state: z.enum(SEGMENTATION_STATES),
  targetFound: z.boolean().nullable(),
  emptyReason: z.string().nullable(),
  featureCount: z.number(),
  areaM2: z.number().nullable(),
  progress: z.object({
    phase: z.string(),
    windowsDone: z.number(),
    windowsTotal: z.number(),
    fraction: z.number().nullable(),
    etaS: z.number().nullable(),
  }),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
  mask: z
    .object({
      meanProbability: z.number().nullable(),
      overlayUrl: z.string(),
      pngUrl: z.string(),
      geotiffUrl: z.string(),
    })
    .nullable(),
});
export type AskedSegmentation = z.infer<typeof AskedSegmentation>;

interface SegmentOptions extends ServiceOptions {
  readonly task?: string;
  readonly scale?: string;
  readonly model?: string;
  readonly gsdM?: number;
  readonly threshold?: number;
  readonly minAreaM2?: number;
  readonly areaOfInterest?: string;
  readonly force?: boolean;
  readonly wait: boolean;
}

/** Adds `terraql segment`. */
export function addSegment(program: Command, context: CommandContext): void {
  const command = program
    .command('segment')
    .description('ask questions about a scene and wait for the answers')
    .argument('<scene>', 'scene identifier, as printed by `register`')
    .argument('<prompt...>', 'one or more questions, each in quotes')
    .addOption(choice('--task <task>', 'kind of prompt; default: reasoning', SEGMENTATION_TASKS))
    .addOption(
      choice(
        '--scale <scale>',
        'whole scene in one window, or windows at native size; default: auto',
        SEGMENTATION_SCALES,
      ),
    )
    .option('--model <id>', 'model, as listed by `models`')
    .option('--gsd-m <metres>', 'ground sample distance shown to the model, metres per pixel', parseNumber)
    .option(
      '--threshold <probability>',
      'probability from which a pixel belongs to the answer, 0 to 1 (default: 0.5)',
      parseNumber,
    )
    .option('--min-area-m2 <area>', 'drop smaller features, square metres (default: 0)', parseNumber)
    .option('--area-of-interest <geojson>', 'polygon to search in WGS 84, as JSON or file')
    .option('--force', 'ask again even if the same work is stored or in progress')
    .option('--no-wait', 'print the queued segmentations and exit; needs a running server');
  withServiceOptions(command).action((sceneId: string, prompts: string[], options: SegmentOptions) =>
    withService(
      context,
      options,
      async (tools) => {
        if (!options.wait && tools.service.url === null) {
          throw new UsageError('--no-wait requires a running server, since this process ends before the runs do.');
        }
        const segmentations = await segment(tools, await inputOf(sceneId, prompts, options), options.wait);
        tools.terminal.write(options.json ? `${JSON.stringify(segmentations)}\n` : segmentationTable(segmentations));
        if (segmentations.some(({ state }) => state === 'FAILED' || state === 'CANCELLED'))
          context.exitCode = EXIT_FAILURE;
      },
      { runs: true, progress: false },
    ),
  );
}

async function inputOf(
  sceneId: string,
  prompts: readonly string[],
  { task, scale, model, gsdM, threshold, minAreaM2, areaOfInterest, force }: SegmentOptions,
): Promise<Record<string, unknown>> {
  const area = areaOfInterest === undefined ? undefined : await readGeometry('--area-of-interest', areaOfInterest);
  return { sceneId, prompts, task, scale, modelId: model, gsdM, threshold, minAreaM2, areaOfInterest: area, force };
}

/**
 * Asks, and waits under a progress bar until every answer is final.
 * @param wait false: returns the queued segmentations at once
 * @throws {InterruptedError} when the signal is aborted; the segmentations are cancelled
 */
export async function segment(
  { service, terminal, signal }: ServiceContext,
  input: Readonly<Record<string, unknown>>,
  wait = true,
): Promise<AskedSegmentation[]> {
  const asked = await service.ask(z.object({ segment: z.array(AskedSegmentation) }), SEGMENT, { input });
  return wait ? settled({ service, terminal, signal }, asked.segment) : asked.segment;
}

async function settled(
  { service, terminal, signal }: Pick<ServiceContext, 'service' | 'terminal' | 'signal'>,
  asked: readonly AskedSegmentation[],
): Promise<AskedSegmentation[]> {
  const latest = new Map(asked.map((segmentation) => [segmentation.id, segmentation]));
  const open = (): AskedSegmentation[] => [...latest.values()].filter(isOpen);
  const progress = new Progress(terminal, asked.length === 1 ? 'Asking' : `Asking ${asked.length} questions`);
  const show = (): void => {
    if (open().length > 0) progress.update(...stateOf(open()));
  };
  const follow = async ({ id }: AskedSegmentation): Promise<void> => {
    const answer = z.object({ segmentationProgress: AskedSegmentation });
    for await (const { segmentationProgress } of service.subscribe(answer, PROGRESS, { id })) {
      latest.set(id, segmentationProgress);
      show();
    }
    if (isOpen(latest.get(id)!)) throw new InterruptedError(`segmentation ${id} finished: its scene was deleted`);
  };
  try {
    show();
    await Promise.race([Promise.all(open().map(follow)), untilAborted(signal)]);
    if (signal.aborted && open().length > 0) {
      for (const { id } of open()) await service.ask(z.unknown(), CANCEL, { id });
      throw new InterruptedError('the answers were complete; the segmentations are cancelled');
    }
  } finally {
    progress.stop();
  }
  return asked.map(({ id }) => latest.get(id)!);
}

const isOpen = ({ state }: AskedSegmentation): boolean => state === 'QUEUED' || state === 'RUNNING';

/** Progress of all open segmentations: that of the slowest. */
function stateOf(open: readonly AskedSegmentation[]): [fraction: number | null, detail: string] {
  const slowest = open.reduce((a, b) => ((a.progress.fraction ?? 0) <= (b.progress.fraction ?? 0) ? a : b));
  const { phase, windowsDone, windowsTotal, fraction, etaS } = slowest.progress;
  const waits = slowest.failure ? `, ${slowest.failure.message}` : '';
  const windows = windowsTotal > 0 ? `, window ${windowsDone} of ${windowsTotal}` : '';
  return [fraction, `${phase}${windows}${etaS === null ? '' : `, ${Math.ceil(etaS)} s left`}${waits}`];
}

/** One line per segmentation with its outcome. */
export function segmentationTable(segmentations: readonly AskedSegmentation[]): string {
  const columns = [
    { heading: 'prompt' },
    { heading: 'state' },
    { heading: 'features', align: 'right' },
    { heading: 'area', align: 'right' },
    { heading: 'segmentation' },
    { heading: 'note' },
  ] as const;
  return textTable(
    columns,
    segmentations.map(({ prompt, state, featureCount, areaM2, id, emptyReason, failure }) => [
      prompt,
      state,
      String(featureCount),
      areaText(areaM2),
      id,
      failure?.message ?? emptyReason ?? '',
    ]),
  );
}
