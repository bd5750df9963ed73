import type { Command } from 'commander';
import { z } from 'zod';
import { type CommandContext, withService } from './application/run-command.ts';
import { type ServiceOptions, urlOption } from './terminal/options.ts';

interface McpCommandOptions extends ServiceOptions {
  readonly allowWrites?: boolean;
}

const Version = z.string();

/** Adds `terraql mcp`. */
export function addMcp(program: Command, context: CommandContext): void {
  program
    .command('mcp')
    .description('serve the Model Context Protocol on standard input and output, for language models')
    .option('--allow-writes', 'also offer tools that register images, ask questions and change what is stored')
    .addOption(urlOption())
    .action(async (options: McpCommandOptions) => {
      const allowWrites = options.allowWrites === true;
      await withService(
        context,
        options,
        async ({ service, signal }) => {
          // A credential that is refused ends the command, instead of every tool.
          await service.ask(z.unknown(), '{ viewer { role } }', {});
          const { serveMcp } = await import('./mcp/serve-mcp.ts');
          const { openStdio } = await import('./mcp/stdio.ts');
          await serveMcp(service, openStdio(signal), { version: Version.parse(program.version()), allowWrites });
        },
        { runs: allowWrites, progress: false },
      );
    });
}
