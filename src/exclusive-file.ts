import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Codes of file systems without hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** A name beside the file for what a process has half written; {@link processOfPartial} reads the process from it. */
export const partialOf = (path: string, processToken: string): string =>
  `${path}.${processToken}.${randomUUID()}.partial`;

/** The token of the process that writes a partial file, empty where the name has none; null for other files. */
export function processOfPartial(name: string): string | null {
  const partial = /(?:\.([0-9a-f]{16}))?\.[0-9a-f-]{36}\.partial$/.exec(name);
  return partial && (partial[1] ?? '');
}

/** Whether an error of the file system has the code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Creates a file with its whole text at once, unless it exists: a process that dies or a disk that is full leaves no torn
 * file behind. Of several callers exactly one gets true.
 * @param processToken of this process: what it has half written is not swept while it lives
 */
export async function writeExclusive(path: string, text: string, processToken: string): Promise<boolean> {
  const partial = partialOf(path, processToken);
  try {
    await writeFile(partial, text, { flag: 'wx', flush: true });
    await link(partial, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    if (!(error instanceof Error && 'code' in error && NO_LINKS.has(String(error.code)))) throw error;
    return await createExclusive(path, text);
  } finally {
    await rm(partial, { force: true });
  }
}

/** As {@link writeExclusive} on a file system without hard links, where a crash may leave a torn file. */
async function createExclusive(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    await rm(path, { force: true });
    throw error;
  }
}

/** Times that a file is made in a folder that is removed while it is empty. */
const MOST_ATTEMPTS = 20;

/** Makes a new file in its folder, and the folder again where a sweeper removed it while it was empty. */
export async function inFolder<T>(path: string, create: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(path), { recursive: true });
    try {
      return await create();
    } catch (error) {
      if (!isCode(error, 'ENOENT') || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

/** Whether a write failed for want of space. */
export const isFull = (error: unknown): boolean => isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT');
