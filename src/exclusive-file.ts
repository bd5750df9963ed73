import { randomUUID } from 'node:crypto';
import { link, rm, writeFile } from 'node:fs/promises';

/** Codes of file systems without hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Whether an error of the file system has the code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Creates a file with its whole text at once, unless it exists: a process that dies or a disk that is full leaves no torn
 * file behind. Of several callers exactly one gets true.
 */
export async function writeExclusive(path: string, text: string): Promise<boolean> {
  const partial = `${path}.${randomUUID()}.partial`;
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
