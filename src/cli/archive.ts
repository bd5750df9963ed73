import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Manifest, OnProgress } from '../archive/archive.ts';
import type { ArchiveSource } from '../archive/write-archive.ts';
import { readConfig } from '../config.ts';
import type { CommandContext } from './application/run-command.ts';
import { Progress } from './terminal/progress.ts';
import { UsageError } from './terminal/terminal.ts';

type Work = (stored: ArchiveSource, file: string, onProgress: OnProgress) => Promise<Manifest>;

/** Adds `terraql export-all` and `terraql import-all`. */
export function addArchive(program: Command, context: CommandContext): void {
  program
    .command('export-all')
    .description('write everything that is stored to one file: rows, images, exports')
    .argument('<file>', 'archive to write, such as backup.tar; it must not exist')
    .option('--json', 'print JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      if (await exists(file)) throw new UsageError(`${file} exists already; name another file.`);
      const { writeArchive } = await import('../archive/write-archive.ts');
      await withInstallation(context, 'Exporting', file, json ?? false, writeArchive);
    });
  program
    .command('import-all')
    .description('read an archive of export-all into an installation that was never used')
    .argument('<file>', 'archive to read')
    .option('--json', 'print JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      if (!(await exists(file))) throw new UsageError(`${file} does not exist.`);
      const { readArchive } = await import('../archive/read-archive.ts');
      await withInstallation(context, 'Importing', file, json ?? false, readArchive);
    });
}

async function withInstallation(
  { terminal, environment }: CommandContext,
  label: string,
  file: string,
  json: boolean,
  work: Work,
): Promise<void> {
  const config = readConfig(environment);
  const [{ openDatabase }, { openBlobs }, { configuredRemoteFiles }] = await Promise.all([
    import('../database/database.ts'),
    import('../bucket/open-blobs.ts'),
    import('../remote/configured-remote-files.ts'),
  ]);
  const database = await openDatabase({
    databaseUrl: config.DATABASE_URL,
    dataDir: config.TERRAQL_DATA_DIR,
    rowSecurity: config.TERRAQL_ROW_SECURITY === 'on',
  });
  const remote = configuredRemoteFiles(config);
  const progress = new Progress(terminal, label);
  try {
    const blobs = await openBlobs(config, remote.pool);
    try {
      const manifest = await work({ asOwner: database.asOwner, blobs }, path.resolve(file), (fraction, detail) =>
        progress.update(fraction, detail),
      );
      progress.stop();
      terminal.write(json ? `${JSON.stringify(summaryOf(manifest))}\n` : lineOf(manifest));
    } finally {
      await blobs.close();
    }
  } finally {
    progress.stop();
    await remote.close();
    await database.close();
  }
}

function summaryOf({ createdAt, rows, entries }: Manifest) {
  const files = entries.filter(({ name }) => name.startsWith('blobs/'));
  return { createdAt, rows, files: files.length, fileBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function lineOf(manifest: Manifest): string {
  const { rows, files } = summaryOf(manifest);
  const { scene = 0, segmentation = 0, feature = 0 } = rows;
  return `${scene} scenes, ${segmentation} segmentations, ${feature} features, ${files} files\n`;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
