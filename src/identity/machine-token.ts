import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Viewer } from './viewer.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Lets commands on the machine ask the server that runs there: a secret of the process, which stands in the record that the
 * server leaves in its data folder. Whoever may read that folder may read everything that is stored.
 */
export class MachineToken {
  readonly secret = `tqm_${randomBytes(32).toString('base64url')}`;
  private readonly sha256 = digest(this.secret);

  matches(token: string): boolean {
    return timingSafeEqual(digest(token), this.sha256);
  }

  /** An administrator of any workspace. */
  viewer(workspace = 'default'): Viewer {
    return { workspace, subject: 'machine', role: 'admin', isMachine: true };
  }
}
