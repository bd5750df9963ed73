import type { Command } from 'commander';
import {
  ADJACENCY_GRAPH,
  AdjacencyAnswer,
  GRAPH_FORMATS,
  GRAPH_WRITERS,
  type GraphFormat,
} from './adjacency-formats.ts';
import { filterOf, type FilterOptions, withFilterOptions } from './terminal/filter-options.ts';
import { choice, parseNumber, type ServiceOptions } from './terminal/options.ts';
import { type CommandContext, withService } from './run-command.ts';

const RELATIONS = ['TOUCHES', 'NEAR'] as const;

interface AdjacencyOptions extends ServiceOptions, FilterOptions {
  readonly relation?: string;
  readonly gapM?: number;
  readonly format: GraphFormat;
}

/** Adds `terraql adjacency`. */
export function addAdjacency(program: Command, context: CommandContext): void {
  const command = program
    .command('adjacency')
    .description('print which stored polygons are neighbours, as a graph of those that match every condition given');
  withFilterOptions(command)
    .addOption(choice('--relation <relation>', 'only pairs of this relation', RELATIONS))
    .option('--gap-m <metres>', 'largest gap, measured for every pair; default: neighbours as stored', parseNumber)
    .addOption(choice('--format <format>', 'how to write', GRAPH_FORMATS).default('TABLE', 'table'))
    .option('--url <url>', 'ask the server there; default: the server of the data folder, else this process')
    .option('--json', 'the same as --format json')
    .action((options: AdjacencyOptions) =>
      withService(context, options, async ({ service, terminal }) => {
        const variables = { filter: await filterOf(options), relation: options.relation, withinM: options.gapM };
        const { adjacency } = await service.ask(AdjacencyAnswer, ADJACENCY_GRAPH, variables);
        terminal.write(GRAPH_WRITERS[options.json ? 'JSON' : options.format](adjacency));
      }),
    );
}
