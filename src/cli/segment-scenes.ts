import type { Command } from 'commander';
import { z } from 'zod';
import { SEGMENTATION_STATES } from '../segmentation/segmentation.ts';
import { type CommandContext, type ServiceContext, untilAborted, withService } from './application/run-command.ts';
import { parseCount, parseNumber, parseNumbers, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { Progress } from './terminal/progress.ts';
import { EXIT_FAILURE, InterruptedError, UsageError } from './terminal/terminal.ts';

const FIELDS = `id state scenes pending failedScenes runs { queued running succeeded failed cancelled reused }
  progress { windowsDone windowsTotal fraction etaS }`;
const SEGMENT = `mutation Segment($input: SegmentScenesInput!) { segmentScenes(input: $input) { ${FIELDS} } }`;
const PROGRESS = `subscription Progress($id: ID!) { jobProgress(id: $id) { ${FIELDS} } }`;
const CANCEL = 'mutation Cancel($id: ID!) { cancelJob(id: $id) { id } }';
const ESTIMATE = `query Estimate($input: SegmentScenesInput!) {
  jobEstimate(input: $input) { scenes unplanned windows areaKm2 seconds stored impossible }
}`;

const AskedJob = z.object({
  id: z.string(),
  state: z.enum(SEGMENTATION_STATES),
  scenes: z.number(),
  pending: z.number(),
  failedScenes: z.number(),
  runs: z.object({
    queued: z.number(),
    running: z.number(),
    succeeded: z.number(),
    failed: z.number(),
    cancelled: z.number(),
    reused: z.number(),
  }),
  progress: z.object({
    windowsDone: z.number(),
    windowsTotal: z.number(),
    fraction: z.number(),
    etaS: z.number().nullable(),
  }),
});
type AskedJob = z.infer<typeof AskedJob>;
const Estimate = z.object({
  scenes: z.number(),
  unplanned: z.number(),
  windows: z.number(),
  areaKm2: z.number().nullable(),
  seconds: z.number().nullable(),
  stored: z.number(),
  impossible: z.number(),
});

interface SegmentScenesOptions extends ServiceOptions {
  readonly sceneName?: string;
  readonly all?: boolean;
  readonly stac?: string;
  readonly collections?: string;
  readonly bbox?: number[];
  readonly datetime?: string;
  readonly assetKey?: string;
  readonly limit?: number;
  readonly threshold?: number;
  readonly gsdM?: number;
  readonly minAreaM2?: number;
  readonly estimate?: boolean;
  readonly wait: boolean;
}

/** Adds `terraql segment-scenes`. */
export function addSegmentScenes(program: Command, context: CommandContext): void {
  const command = program
    .command('segment-scenes')
    .description('ask the same questions about many scenes, as one job')
    .argument('<prompt...>', 'one or more questions, each in quotes')
    .option('--all', 'every registered scene')
    .option('--scene-name <text>', 'registered scenes whose name contains this text')
    .option('--stac <url>', 'images of a STAC catalogue, registered first')
    .option('--collections <names>', 'collections of the catalogue, separated by commas')
    .option(
      '--bbox <w,s,e,n>',
      'box that items of the catalogue intersect, WGS 84',
      parseNumbers(4, 'west,south,east,north'),
    )
    .option('--datetime <interval>', 'acquisition instant or interval of the items, RFC 3339')
    .option('--asset-key <key>', 'asset of the items to read')
    .option('--limit <n>', 'maximum number of items of the catalogue (default: 1000)', parseCount)
    .option('--gsd-m <metres>', 'ground sample distance shown to the model, metres per pixel', parseNumber)
    .option('--threshold <probability>', 'probability from which a pixel belongs to the answer, 0 to 1', parseNumber)
    .option('--min-area-m2 <area>', 'drop smaller features, square metres', parseNumber)
    .option('--estimate', 'print the estimated cost and exit')
    .option('--no-wait', 'print the job and exit; needs a running server');
  withServiceOptions(command).action((prompts: string[], options: SegmentScenesOptions) =>
    withService(
      context,
      options,
      async (tools) => {
        if (!options.wait && tools.service.url === null) {
          throw new UsageError('--no-wait requires a running server, since this process ends before the runs do.');
        }
        const input = inputOf(prompts, options);
        if (options.estimate) return printEstimate(tools, input, options);
        const job = await segmentScenes(tools, input, options.wait);
        tools.terminal.write(options.json ? `${JSON.stringify(job)}\n` : `${jobText(job)}\n`);
        if (job.state === 'FAILED' || job.state === 'CANCELLED') context.exitCode = EXIT_FAILURE;
      },
      { runs: true, progress: false },
    ),
  );
}

function inputOf(prompts: readonly string[], options: SegmentScenesOptions): Record<string, unknown> {
  const { all, sceneName, stac, collections, bbox, datetime, assetKey, limit } = options;
  const ways = [all && '--all', sceneName !== undefined && '--scene-name', stac !== undefined && '--stac'].filter(
    Boolean,
  );
  if (ways.length !== 1) throw new UsageError('Give exactly one of --all, --scene-name and --stac.');
  const { threshold, gsdM, minAreaM2 } = options;
  const which =
    stac === undefined
      ? { filter: sceneName === undefined ? {} : { name: sceneName } }
      : { stac: { url: stac, collections: collections?.split(','), bbox, datetime, assetKey, limit } };
  return { ...which, prompts, threshold, gsdM, minAreaM2 };
}

async function printEstimate(
  { service, terminal }: ServiceContext,
  input: Readonly<Record<string, unknown>>,
  { json }: SegmentScenesOptions,
): Promise<void> {
  const { jobEstimate } = await service.ask(z.object({ jobEstimate: Estimate }), ESTIMATE, { input });
  const { scenes, unplanned, windows, areaKm2, seconds, stored, impossible } = jobEstimate;
  const ground = areaKm2 === null ? '' : `, ${areaKm2.toFixed(2)} km²`;
  const time = seconds === null ? '' : `, about ${Math.ceil(seconds)} s`;
  const unknown = unplanned === 0 ? '' : `; ${unplanned} scenes are not registered yet and not planned`;
  const text = `${scenes} scenes${ground}: ${windows} windows${time}; ${stored} answers already stored, ${impossible} scenes cannot be processed${unknown}`;
  terminal.write(`${json ? JSON.stringify(jobEstimate) : text}\n`);
}

/** @throws {InterruptedError} when the signal is aborted; the job is cancelled */
async function segmentScenes(
  { service, terminal, signal }: ServiceContext,
  input: Readonly<Record<string, unknown>>,
  wait: boolean,
): Promise<AskedJob> {
  const asked = await service.ask(z.object({ segmentScenes: AskedJob }), SEGMENT, { input });
  let job = asked.segmentScenes;
  if (!wait) return job;
  const progress = new Progress(terminal, `Asking ${job.scenes} scenes`);
  const follow = async (): Promise<void> => {
    const answer = z.object({ jobProgress: AskedJob });
    for await (const { jobProgress } of service.subscribe(answer, PROGRESS, { id: job.id })) {
      job = jobProgress;
      progress.update(job.progress.fraction, jobText(job));
    }
  };
  try {
    await Promise.race([follow(), untilAborted(signal)]);
    if (signal.aborted && isOpen(job)) {
      await service.ask(z.unknown(), CANCEL, { id: job.id });
      throw new InterruptedError('the job was finished; it is cancelled');
    }
  } finally {
    progress.stop();
  }
  return job;
}

const isOpen = ({ state }: AskedJob): boolean => state === 'QUEUED' || state === 'RUNNING';

function jobText({ id, state, scenes, pending, failedScenes, runs, progress }: AskedJob): string {
  const { windowsDone, windowsTotal, etaS } = progress;
  const toGo = etaS === null ? '' : `, ${Math.ceil(etaS)} s left`;
  const failed = failedScenes + runs.failed > 0 ? `, ${failedScenes} scenes and ${runs.failed} runs failed` : '';
  return `job ${id} ${state}: ${scenes - pending} of ${scenes} scenes, ${runs.succeeded} answers (${runs.reused} reused), window ${windowsDone} of ${windowsTotal}${failed}${toGo}`;
}
