/** A folder of `src`, or a file at its root, with the layers that it may import. */
export interface Layer {
  /** Path below `src`. */
  readonly name: string;
  readonly holds: string;
  /** Names of layers, each further down in the list. Beside them it may import the files at the root that have no row. */
  readonly imports: readonly string[];
  /** No I/O, clock or environment: imports neither Node's modules nor files at the root but `errors.ts`. */
  readonly pure?: true;
}

/** A program of its own, which knows the service by its API alone: no layer imports it, and it imports none. */
export const DASHBOARD = 'dashboard/';

/** Pairs of layers that import each other. To be emptied, never added to. */
export const TWO_WAY: readonly (readonly [above: string, below: string])[] = [];

/** Most source files that stand directly in a folder. */
export const MAX_FILES = 25;
/** Folders that may hold more. */
export const LARGE_FOLDERS: readonly string[] = ['graphql'];
