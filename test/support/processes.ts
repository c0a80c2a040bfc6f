/** Processes for tests of what belongs to one. */
import { spawnSync } from 'node:child_process';
import { ownerTag } from '../../lib/cli/install/ownership';

/** The owner tag of a process of this machine that has ended. */
export function deadOwner(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return ownerTag().replace(/\d+$/, String(pid));
}
