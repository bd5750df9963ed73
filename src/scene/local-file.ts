import { realpath, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { AppError } from '../errors.ts';
import { FileTooLargeError } from '../blob-store.ts';

/** A path outside the folders that scenes may be read from, directly or through a link. */
export class OutsideRootsError extends AppError {
  readonly code = 'PATH_OUTSIDE_ROOTS';
  constructor(
    readonly path: string,
    roots: readonly string[],
  ) {
    super(`path ${path} is not under an allowed folder (TERRAQL_SCENE_ROOTS: ${roots.join(', ')})`);
  }
}

/** There is no file at an allowed path. */
export class SceneFileNotFoundError extends AppError {
  readonly code = 'SCENE_FILE_NOT_FOUND';
  constructor(readonly path: string) {
    super(`no file at ${path}`);
  }
}

/**
 * Resolves a client's path, following all links.
 * @param path absolute, or relative to the working directory of the process
 * @param roots allowed folders
 * @throws {OutsideRootsError} whether or not the file exists
 * @throws {SceneFileNotFoundError | FileTooLargeError}
 */
export async function allowedFile(path: string, roots: readonly string[], maxBytes: number): Promise<string> {
  const absolute = resolve(path);
  const allowed = [...roots.map((root) => resolve(root)), ...(await realRoots(roots))];
  if (path.includes('\0') || !allowed.some((root) => isUnder(absolute, root))) throw new OutsideRootsError(path, roots);
  const real = await realpath(absolute).catch(() => null);
  if (real === null) throw new SceneFileNotFoundError(path);
  if (!(await realRoots(roots)).some((root) => isUnder(real, root))) throw new OutsideRootsError(path, roots);
  const entry = await stat(real);
  if (!entry.isFile()) throw new SceneFileNotFoundError(path);
  if (entry.size > maxBytes) throw new FileTooLargeError(entry.size, maxBytes);
  return real;
}

async function realRoots(roots: readonly string[]): Promise<string[]> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => null)));
  return real.filter((root) => root !== null);
}

function isUnder(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path;
}
