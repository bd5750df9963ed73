import type { Command } from 'commander';
import { z } from 'zod';
import { areaText } from '../measure-text.ts';
import { SEGMENTATION_STATES } from '../segmentation/segmentation.ts';
import { choice, parseCount, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { RegisteredScene } from './register.ts';
import { type CommandContext, withService } from './application/run-command.ts';
import { AskedSegmentation, SEGMENTATION_FIELDS, segmentationTable } from './segment.ts';
import { textTable } from './terminal/table.ts';

const SCENES = `query Scenes($filter: SceneFilter, $first: Int!) {
  scenes(filter: $filter, first: $first) {
    nodes { id name source sha256 widthPx heightPx bands dtype crs gsdM areaM2 acquiredAt }
  }
}`;
const SEGMENTATIONS = `query Segmentations($filter: SegmentationFilter, $first: Int!) {
  segmentations(filter: $filter, first: $first) { nodes { ${SEGMENTATION_FIELDS} } }
}`;

const nodesOf = <T>(node: z.ZodType<T>) => z.object({ nodes: z.array(node) });

interface ListOptions extends ServiceOptions {
  readonly limit: number;
}

/** Adds `terraql scenes`, newest first. */
export function addScenes(program: Command, context: CommandContext): void {
  const command = program
    .command('scenes')
    .description('list registered images, newest first')
    .option('--name <text>', 'only scenes whose name contains this text')
    .option('--limit <count>', 'maximum number of scenes', parseCount, 50);
  withServiceOptions(command).action((options: ListOptions & { readonly name?: string }) =>
    withService(context, options, async ({ service, terminal }) => {
      const variables = { filter: { name: options.name }, first: options.limit };
      const { scenes } = await service.ask(z.object({ scenes: nodesOf(RegisteredScene) }), SCENES, variables);
      terminal.write(options.json ? `${JSON.stringify(scenes.nodes)}\n` : scenesTable(scenes.nodes));
    }),
  );
}

function scenesTable(scenes: readonly RegisteredScene[]): string {
  return textTable(
    [
      { heading: 'scene' },
      { heading: 'name' },
      { heading: 'pixels', align: 'right' },
      { heading: 'crs' },
      { heading: 'area', align: 'right' },
    ],
    scenes.map(({ id, name, widthPx, heightPx, crs, areaM2 }) => [
      id,
      name,
      `${widthPx} x ${heightPx}`,
      crs?.slice(0, 30) ?? '–',
      areaText(areaM2),
    ]),
  );
}

/** Adds `terraql segmentations`, newest first. */
export function addSegmentations(program: Command, context: CommandContext): void {
  const command = program
    .command('segmentations')
    .description('list segmentations with their state, newest first')
    .option('--scene <id>', 'only of this scene')
    .option('--prompt <text>', 'only with a prompt that contains this text')
    .addOption(choice('--state <state>', 'only in this state', SEGMENTATION_STATES))
    .option('--limit <count>', 'maximum number of segmentations', parseCount, 50);
  type Options = ListOptions & { readonly scene?: string; readonly prompt?: string; readonly state?: string };
  withServiceOptions(command).action((options: Options) =>
    withService(context, options, async ({ service, terminal }) => {
      const filter = { sceneId: options.scene, promptContains: options.prompt, state: options.state };
      const answer = z.object({ segmentations: nodesOf(AskedSegmentation) });
      const { segmentations } = await service.ask(answer, SEGMENTATIONS, { filter, first: options.limit });
      terminal.write(
        options.json ? `${JSON.stringify(segmentations.nodes)}\n` : segmentationTable(segmentations.nodes),
      );
    }),
  );
}
