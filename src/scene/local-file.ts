import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { AppError } from '../errors.ts';
import { FileTooLargeError } from '../blob-store.ts';

/** A path outside the folders that scenes may be read from, directly or through a link. */
export class OutsideRootsError extends AppError {
  readonly code = 'PATH_OUTSIDE_ROOTS';
  constructor(readonly path: string) {
    super(`path ${path} is not in an allowed folder (TERRAQL_SCENE_ROOTS).`);
  }
}

/** There is no file at an allowed path. */
export class SceneFileNotFoundError extends AppError {
  readonly code = 'SCENE_FILE_NOT_FOUND';
  constructor(readonly path: string) {
    super(`path ${path} does not exist or is not a file.`);
  }
}

/**
 * Resolves a client's path, following all links.
 * @param path absolute, or relative to the working directory of the process
 * @param roots allowed folders
 * @throws {OutsideRootsError} whether or not the file exists, also behind a link that leads outside
 * @throws {SceneFileNotFoundError | FileTooLargeError}
 */
export async function allowedFile(path: string, roots: readonly string[], maxBytes: number): Promise<string> {
  const absolute = resolve(path);
  const allowed = [...roots.map((root) => resolve(root)), ...(await realRoots(roots))];
  if (path.includes('\0') || !allowed.some((root) => isUnder(absolute, root))) throw new OutsideRootsError(path);
  const [real, missing] = await nearest(absolute);
  const inside = (root: string): boolean => isUnder(real ?? '', root) || (missing && real === root);
  if (real === null || !(await realRoots(roots)).some(inside)) throw new OutsideRootsError(path);
  if (missing) throw new SceneFileNotFoundError(path);
  const entry = await stat(real);
  if (!entry.isFile()) throw new SceneFileNotFoundError(path);
  if (entry.size > maxBytes) throw new FileTooLargeError(entry.size, maxBytes);
  return real;
}

/**
 * Follows all links as far as the path exists.
 * @returns the existing part without links, null where it ends in a broken link; and whether a rest of the path is missing
 */
async function nearest(absolute: string): Promise<[real: string | null, missing: boolean]> {
  const real = await realpath(absolute).catch(() => null);
  if (real !== null) return [real, false];
  const isLink = await lstat(absolute).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
  if (isLink || dirname(absolute) === absolute) return [null, true];
  return [(await nearest(dirname(absolute)))[0], true];
}

async function realRoots(roots: readonly string[]): Promise<string[]> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => null)));
  return real.filter((root) => root !== null);
}

function isUnder(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path;
}
