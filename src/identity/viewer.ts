/** What a viewer may do; each role may also do what those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Least role that an outlet asks for; `anyone` needs no credential, `machine` is for commands on the machine alone. */
export type Rule = Role | 'anyone' | 'machine';

/** The viewer of a request. Services are created for a viewer and answer within the viewer's workspace. */
export interface Viewer {
  /** Owner of what is stored. */
  readonly workspace: string;
  /** Name of the caller within the workspace. */
  readonly subject: string;
  readonly role: Role;
  /** Whether a command on the machine of the server asks. */
  readonly isMachine?: true;
}

/** The viewer of every request while no login is required, and of commands on the machine itself. */
export const DEFAULT_VIEWER: Viewer = Object.freeze({ workspace: 'default', subject: 'anonymous', role: 'admin' });

/** Whether a role may do what needs another. */
export function reaches(role: Role, needed: Rule): boolean {
  if (needed === 'machine') return false;
  return needed === 'anyone' || ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
