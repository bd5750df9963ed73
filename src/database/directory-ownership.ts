import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../errors.ts';
import { writeExclusive } from '../exclusive-file.ts';
import { ProcessPresence } from '../process-presence.ts';

/** Another process has the embedded database open; two would corrupt it. */
export class EmbeddedDatabaseInUseError extends AppError {
  readonly code = 'EMBEDDED_DATABASE_IN_USE';
  constructor(readonly directory: string) {
    super(
      `The embedded database in ${directory} is open in another process; stop that process, choose another TERRAQL_DATA_DIR, ` +
        'or set DATABASE_URL to a PostgreSQL server, which many processes can share.',
    );
  }
}

/**
 * Makes this process the only owner of an embedded database, until the returned function is called or the process ends.
 * The lock is a folder beside the database, so it holds for every process that reaches the data.
 *
 * Owners are numbered claims. A claim is made atomically and the newest is never removed, so of several processes that find
 * the newest owner dead exactly one gets the next number.
 * @param directory its real path
 * @throws {EmbeddedDatabaseInUseError}
 */
export async function ownDirectory(directory: string): Promise<() => Promise<void>> {
  const folder = `${directory}.owner`;
  const presence = await ProcessPresence.open(folder);
  try {
    const number = await claimDirectory(directory, folder, presence);
    for (const older of await claimNumbers(folder))
      if (older < number) await rm(claimFile(folder, older), { force: true });
    await presence.sweep();
  } catch (error) {
    await presence.close();
    throw error;
  }
  return () => presence.close();
}

/** @returns number of the claim */
async function claimDirectory(directory: string, folder: string, presence: ProcessPresence): Promise<number> {
  for (;;) {
    const newest = Math.max(0, ...(await claimNumbers(folder)));
    const owner = newest === 0 ? '' : await readFile(claimFile(folder, newest), 'utf8').catch(() => '');
    if (await presence.isAlive(owner)) throw new EmbeddedDatabaseInUseError(directory);
    const number = newest + 1;
    const isWritten = await writeExclusive(claimFile(folder, number), presence.token, presence.token);
    // A process that was slow to look may claim a number that others have passed.
    if (isWritten && Math.max(...(await claimNumbers(folder))) === number) return number;
  }
}

const claimFile = (folder: string, number: number): string => path.join(folder, `${number}.claim`);

async function claimNumbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap((name) => /^(\d+)\.claim$/.exec(name)?.[1] ?? []).map(Number);
}
