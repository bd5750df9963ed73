import type { Command } from 'commander';
import { z } from 'zod';
import { parseCount, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { type CommandContext, type ServiceContext, withService } from './application/run-command.ts';
import { textTable } from './terminal/table.ts';
import { UsageError } from './terminal/terminal.ts';

const FAILED = `query DeadLetters($first: Int!, $after: String) {
  segmentations(filter: { state: FAILED }, first: $first, after: $after) {
    nodes { id prompt createdAt finishedAt scene { name } failure { code message attempts } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const RETRY = `mutation Redrive($ids: [ID!]!) { retrySegmentations(ids: $ids) { id state } }`;

const DeadLetter = z.object({
  id: z.string(),
  prompt: z.string(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  scene: z.object({ name: z.string() }),
  failure: z.object({ code: z.string(), message: z.string(), attempts: z.number() }),
});
type DeadLetter = z.infer<typeof DeadLetter>;

const FailedAnswer = z.object({
  segmentations: z.object({
    nodes: z.array(DeadLetter),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});

/** Dead letters read or requeued in one request. */
const PAGE = 200;

interface ListOptions extends ServiceOptions {
  readonly code?: string;
  readonly limit: number;
}

interface RedriveOptions extends ServiceOptions {
  readonly code?: string;
  readonly all?: boolean;
}

/** Adds `terraql dead-letters`. */
export function addDeadLetters(program: Command, context: CommandContext): void {
  const group = program.command('dead-letters').description('list and retry failed runs');
  const list = group
    .command('list')
    .description('list failed runs with the reason, newest first')
    .option('--code <code>', 'only failures with this code')
    .option('--limit <count>', 'maximum number of runs', parseCount, 50);
  withServiceOptions(list).action((options: ListOptions) =>
    withService(context, options, async (tools) => {
      const letters = await deadLetters(tools, options.code, options.limit);
      tools.terminal.write(options.json ? `${JSON.stringify(letters)}\n` : lettersTable(letters));
    }),
  );
  const redrive = group
    .command('redrive')
    .description('queue failed runs again')
    .argument('[segmentation...]', 'identifiers, as printed by `dead-letters list`')
    .option('--all', 'all failed runs')
    .option('--code <code>', 'all failures with this code');
  withServiceOptions(redrive).action((ids: string[], options: RedriveOptions) =>
    withService(context, options, async (tools) => {
      const redriven = await putBack(tools, await chosen(tools, ids, options));
      tools.terminal.write(
        options.json ? `${JSON.stringify(redriven)}\n` : `${redriven.length} put back in the queue\n`,
      );
    }),
  );
}

async function chosen(tools: ServiceContext, ids: string[], { all = false, code }: RedriveOptions): Promise<string[]> {
  const ways = [ids.length > 0, all, code !== undefined].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('Give exactly one of: identifiers, --all, --code.');
  if (ids.length > 0) return ids;
  return (await deadLetters(tools, code, Infinity)).map(({ id }) => id);
}

async function putBack({ service }: ServiceContext, ids: readonly string[]): Promise<{ id: string; state: string }[]> {
  const answer = z.object({ retrySegmentations: z.array(z.object({ id: z.string(), state: z.string() })) });
  const redriven: { id: string; state: string }[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const { retrySegmentations } = await service.ask(answer, RETRY, { ids: ids.slice(from, from + PAGE) });
    redriven.push(...retrySegmentations);
  }
  return redriven;
}

async function deadLetters(
  { service }: ServiceContext,
  code: string | undefined,
  limit: number,
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let after: string | null = null;
  do {
    const { segmentations }: z.infer<typeof FailedAnswer> = await service.ask(FailedAnswer, FAILED, {
      first: PAGE,
      after,
    });
    letters.push(...segmentations.nodes.filter(({ failure }) => code === undefined || failure.code === code));
    after = segmentations.pageInfo.hasNextPage ? segmentations.pageInfo.endCursor : null;
  } while (after !== null && letters.length < limit);
  return letters.slice(0, limit);
}

function lettersTable(letters: readonly DeadLetter[]): string {
  return textTable(
    [
      { heading: 'segmentation' },
      { heading: 'scene' },
      { heading: 'prompt' },
      { heading: 'attempts', align: 'right' },
      { heading: 'code' },
      { heading: 'reason' },
    ],
    letters.map(({ id, scene, prompt, failure }) => [
      id,
      scene.name,
      prompt,
      String(failure.attempts),
      failure.code,
      failure.message,
    ]),
  );
}
