import { AppError } from '../errors.ts';

/** Owner of what is stored. */
export interface Workspace {
  /** In addresses, settings and claims. */
  readonly id: string;
  readonly name: string;
}

/** A workspace cannot be made as asked. */
export class InvalidWorkspaceError extends AppError {
  readonly code = 'WORKSPACE_INVALID';
}

/** There is such a workspace already. */
export class WorkspaceTakenError extends AppError {
  readonly code = 'WORKSPACE_TAKEN';
  constructor(id: string) {
    super(`Workspace ${JSON.stringify(id)} already exists; choose another identifier.`);
  }
}
