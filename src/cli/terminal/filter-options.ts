import type { Command } from 'commander';
import { parseNumber, parseNumbers, readGeometry, readJson } from './options.ts';
import { UsageError } from './terminal.ts';

/** Conditions on features, as parsed from options. */
export interface FilterOptions {
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
}

/** Adds the options that choose features. */
export function withFilterOptions(command: Command): Command {
  return command
    .option('--scene <id>', 'found in this scene')
    .option('--segmentation <id>', 'found by this segmentation')
    .option('--prompt <text>', 'found by prompts that contain this text')
    .option('--bbox <w,s,e,n>', 'intersects this box, WGS 84', parseNumbers(4, 'west,south,east,north'))
    .option('--intersects <geojson>', 'intersects this WGS 84 geometry, as JSON or file')
    .option('--within <geojson>', 'lies within this WGS 84 geometry, as JSON or file')
    .option('--near <lon,lat>', 'lies near this position; requires --within-m', parseNumbers(2, 'longitude,latitude'))
    .option('--within-m <metres>', 'largest distance from --near, metres', parseNumber)
    .option('--min-area-m2 <area>', 'smallest area, square metres', parseNumber)
    .option('--max-area-m2 <area>', 'largest area, square metres', parseNumber)
    .option('--min-probability <probability>', 'smallest mean probability, 0 to 1', parseNumber)
    .option('--filter <json>', 'FeatureFilter of the API, as JSON or file; combined with the other conditions');
}

/** The options as one `FeatureFilter`. @throws {UsageError} */
export async function filterOf(options: FilterOptions): Promise<Record<string, unknown>> {
  const { near, withinM, intersects, within, minAreaM2, maxAreaM2, minProbability } = options;
  if ((near === undefined) !== (withinM === undefined)) throw new UsageError('Give --near and --within-m together.');
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
