import type { Command } from 'commander';
import { FEATURE_FORMATS, FEATURE_WRITERS, type FeatureFormat } from './feature-formats.ts';
import { featureRows } from './feature-rows.ts';
import {
  choice,
  parseCount,
  parseNumber,
  parseNumbers,
  readGeometry,
  readJson,
  type ServiceOptions,
} from './options.ts';
import { type CommandContext, withService } from './run-command.ts';
import { UsageError } from './terminal.ts';

const SORT_KEYS = ['AREA', 'PERIMETER', 'PROBABILITY', 'COMPACTNESS', 'DISTANCE', 'NEIGHBOURS', 'CREATED'] as const;
/** Lines of a table unless --limit says otherwise; other formats print everything. */
const TABLE_LIMIT = 50;

interface FeaturesOptions extends ServiceOptions {
  readonly scene?: string;
  readonly segmentation?: string;
  readonly prompt?: string;
  readonly bbox?: number[];
  readonly intersects?: string;
  readonly within?: string;
  readonly near?: number[];
  readonly withinM?: number;
  readonly minAreaM2?: number;
  readonly maxAreaM2?: number;
  readonly minProbability?: number;
  readonly filter?: string;
  readonly orderBy: string;
  readonly ascending?: boolean;
  readonly limit?: number;
  readonly precision: number;
  readonly format: FeatureFormat;
}

/** Adds `terraql features`. */
export function addFeatures(program: Command, context: CommandContext): void {
  program
    .command('features')
    .description('print stored polygons that match every condition given')
    .option('--scene <id>', 'found in this scene')
    .option('--segmentation <id>', 'found by this question')
    .option('--prompt <text>', 'found by questions that contain this')
    .option('--bbox <w,s,e,n>', 'meets this box, WGS 84', parseNumbers(4, 'west,south,east,north'))
    .option('--intersects <geojson>', 'meets this geometry, as JSON or file, WGS 84')
    .option('--within <geojson>', 'lies within this geometry, as JSON or file, WGS 84')
    .option('--near <lon,lat>', 'lies near this position; needs --within-m', parseNumbers(2, 'longitude,latitude'))
    .option('--within-m <metres>', 'largest distance from --near', parseNumber)
    .option('--min-area-m2 <area>', 'at least this large', parseNumber)
    .option('--max-area-m2 <area>', 'at most this large', parseNumber)
    .option('--min-probability <probability>', 'mean probability at least this', parseNumber)
    .option('--filter <json>', 'a FeatureFilter of the API, as JSON or file; added to the other conditions')
    .addOption(choice('--order-by <key>', 'order', SORT_KEYS).default('AREA', 'area'))
    .option('--ascending', 'smallest first')
    .option('--limit <count>', `most features to print; default: ${TABLE_LIMIT} in a table, else all`, parseCount)
    .option('--precision <places>', 'decimal places of coordinates', parseNumber, 7)
    .addOption(choice('--format <format>', 'how to print', FEATURE_FORMATS).default('TABLE', 'table'))
    .option('--url <url>', 'ask the server there; default: the server of the data folder, else this process')
    .option('--json', 'the same as --format geojson')
    .action((options: FeaturesOptions) =>
      withService(context, options, async ({ service, terminal }) => {
        const format = options.json ? 'GEOJSON' : options.format;
        const rows = featureRows(service, {
          filter: await filterOf(options),
          orderBy: { by: options.orderBy, direction: options.ascending ? 'ASC' : 'DESC' },
          limit: options.limit ?? (format === 'TABLE' ? TABLE_LIMIT : undefined),
          precision: options.precision,
        });
        await terminal.stream(FEATURE_WRITERS[format](rows));
      }),
    );
}

/** The options as one `FeatureFilter`. @throws {UsageError} */
async function filterOf(options: FeaturesOptions): Promise<Record<string, unknown>> {
  const { near, withinM, intersects, within, minAreaM2, maxAreaM2, minProbability } = options;
  if ((near === undefined) !== (withinM === undefined)) throw new UsageError('--near and --within-m go together');
  const range = (min?: number, max?: number) => (min === undefined && max === undefined ? undefined : { min, max });
  return {
    sceneId: options.scene,
    segmentationId: options.segmentation,
    promptContains: options.prompt,
    bbox: options.bbox,
    intersects: intersects === undefined ? undefined : await readGeometry('--intersects', intersects),
    within: within === undefined ? undefined : await readGeometry('--within', within),
    near: near && { geometry: { type: 'Point', coordinates: near }, withinM },
    areaM2: range(minAreaM2, maxAreaM2),
    meanProbability: range(minProbability),
    and: options.filter === undefined ? undefined : [await readJson('--filter', options.filter)],
  };
}
