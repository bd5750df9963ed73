/** What a viewer may do; each role may also do what those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Least role that an outlet asks for; `anyone` needs no credential. */
export type Rule = Role | 'anyone';

/** Who asks. Services are made for a viewer and answer within the viewer's workspace. */
export interface Viewer {
  /** Owner of what is stored. */
  readonly workspace: string;
  /** Name of the caller within the workspace. */
  readonly subject: string;
  readonly role: Role;
}

/** The viewer of every request while no login is required, and of commands on the machine itself. */
export const DEFAULT_VIEWER: Viewer = Object.freeze({ workspace: 'default', subject: 'anonymous', role: 'admin' });

/** Whether a role may do what needs another. */
export function reaches(role: Role, needed: Rule): boolean {
  return needed === 'anyone' || ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
