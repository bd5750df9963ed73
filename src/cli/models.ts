import type { Command } from 'commander';
import { z } from 'zod';
import { type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { type CommandContext, withService } from './application/run-command.ts';
import { textTable } from './terminal/table.ts';

const MODELS = `query Models { models { id name version sha256 windowPx licence ready executionProvider } }`;

const Model = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  sha256: z.string(),
  windowPx: z.number(),
  licence: z.string(),
  ready: z.boolean(),
  executionProvider: z.string().nullable(),
});

/** Adds `terraql models`. */
export function addModels(program: Command, context: CommandContext): void {
  const command = program.command('models').description('list the installed models and their execution providers');
  withServiceOptions(command).action((options: ServiceOptions) =>
    withService(context, options, async ({ service, terminal }) => {
      const { models } = await service.ask(z.object({ models: z.array(Model) }), MODELS, {});
      const table = textTable(
        [
          { heading: 'model' },
          { heading: 'window', align: 'right' },
          { heading: 'runs on' },
          { heading: 'licence' },
          { heading: 'sha256' },
        ],
        models.map(({ id, windowPx, licence, sha256, ready, executionProvider }) => [
          id,
          `${windowPx} px`,
          ready ? (executionProvider ?? 'unknown') : 'not loaded',
          licence,
          sha256.slice(0, 12),
        ]),
      );
      terminal.write(options.json ? `${JSON.stringify(models)}\n` : table);
    }),
  );
}
