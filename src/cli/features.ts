import type { Command } from 'commander';
import { FEATURE_SORT_KEYS } from '../feature/feature.filter.ts';
import { BINARY_FORMATS, type FileFormat, TEXT_FORMATS, writeFeatures } from './feature-file.ts';
import { featureRows } from './feature-rows.ts';
import { featureTable } from './feature-table.ts';
import { filterOf, type FilterOptions, withFilterOptions } from './terminal/filter-options.ts';
import { choice, parseCount, parseNumber, type ServiceOptions, urlOption } from './terminal/options.ts';
import { type CommandContext, type ServiceContext, withService } from './application/run-command.ts';
import { UsageError } from './terminal/terminal.ts';

const FORMATS = ['TABLE', ...TEXT_FORMATS, ...BINARY_FORMATS] as const;
/** Default of --limit for a table; other formats are complete. */
const TABLE_LIMIT = 50;

interface FeaturesOptions extends ServiceOptions, FilterOptions {
  readonly orderBy: string;
  readonly ascending?: boolean;
  readonly limit?: number;
  readonly precision?: number;
  readonly simplifyM?: number;
  readonly include?: readonly string[];
  readonly crs?: string;
  readonly format: 'TABLE' | FileFormat;
  readonly output?: string;
}

/** Adds `terraql features`. */
export function addFeatures(program: Command, context: CommandContext): void {
  const command = program
    .command('features')
    .description('print or save the stored features that match all given conditions');
  withFilterOptions(command)
    .addOption(choice('--order-by <key>', 'measure to order by', FEATURE_SORT_KEYS).default('AREA', 'area'))
    .option('--ascending', 'ascending instead of descending order')
    .option(
      '--limit <count>',
      `maximum number of features (default: ${TABLE_LIMIT} in a table, otherwise all)`,
      parseCount,
    )
    .option('--precision <places>', 'decimal places of coordinates in text formats (default: 7)', parseNumber)
    .option('--simplify-m <metres>', 'largest shift of an outline by simplification (default: none)', parseNumber)
    .option('--include <names>', 'attributes to write, separated by commas (default: all)', (text) => text.split(','))
    .option('--crs <code>', 'coordinate reference system of csv, parquet and parquet.zip (default: WGS 84)')
    .addOption(choice('--format <format>', 'output format', FORMATS).default('TABLE', 'table'))
    .option('--output <file>', 'output file; required for fgb, parquet and parquet.zip')
    .addOption(urlOption())
    .option('--json', 'same as --format geojson')
    .action((options: FeaturesOptions) => {
      const format = options.json ? 'GEOJSON' : options.format;
      checkOutput(format, options);
      return withService(context, options, (tools) => run(tools, format, options));
    });
}

async function run(tools: ServiceContext, format: 'TABLE' | FileFormat, options: FeaturesOptions): Promise<void> {
  const { limit, output, precision, simplifyM, include, crs } = options;
  const filter = await filterOf(options);
  const orderBy = { by: options.orderBy, direction: options.ascending ? 'ASC' : 'DESC' };
  if (format === 'TABLE') {
    const rows = featureRows(tools.service, { filter, orderBy }, limit ?? TABLE_LIMIT);
    tools.terminal.write(await featureTable(rows));
  } else {
    await writeFeatures(tools, format, { filter, orderBy, limit, precision, simplifyM, include, crs }, output);
  }
}

/** @throws {UsageError} */
function checkOutput(format: 'TABLE' | FileFormat, { output, precision, include, crs }: FeaturesOptions): void {
  const name = format.toLowerCase();
  if (output === undefined && BINARY_FORMATS.some((binary) => binary === format)) {
    throw new UsageError(`--format ${name} is binary; name a file with --output.`);
  }
  if (precision !== undefined && format === 'TABLE') {
    throw new UsageError('--precision requires a --format other than table.');
  }
  if (output !== undefined && format === 'TABLE') {
    throw new UsageError('--output requires a --format other than table.');
  }
  if ((include !== undefined || crs !== undefined) && format === 'TABLE') {
    throw new UsageError('--include and --crs require a --format other than table.');
  }
}
