import type { Command } from 'commander';
import {
  ADJACENCY_GRAPH,
  AdjacencyAnswer,
  GRAPH_FORMATS,
  GRAPH_WRITERS,
  type GraphFormat,
} from './adjacency-formats.ts';
import { filterOf, type FilterOptions, withFilterOptions } from './terminal/filter-options.ts';
import { choice, parseNumber, type ServiceOptions, urlOption } from './terminal/options.ts';
import { type CommandContext, withService } from './application/run-command.ts';

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
    .description('print the features that match all given conditions, and which are neighbours, as a graph');
  withFilterOptions(command)
    .addOption(choice('--relation <relation>', 'only pairs of this relation', RELATIONS))
    .option(
      '--gap-m <metres>',
      'largest gap in metres, measured for every pair (default: stored neighbours)',
      parseNumber,
    )
    .addOption(choice('--format <format>', 'output format', GRAPH_FORMATS).default('TABLE', 'table'))
    .addOption(urlOption())
    .option('--json', 'same as --format json')
    .action((options: AdjacencyOptions) =>
      withService(context, options, async ({ service, terminal }) => {
        const variables = { filter: await filterOf(options), relation: options.relation, withinM: options.gapM };
        const { adjacency } = await service.ask(AdjacencyAnswer, ADJACENCY_GRAPH, variables);
        terminal.write(GRAPH_WRITERS[options.json ? 'JSON' : options.format](adjacency));
      }),
    );
}
