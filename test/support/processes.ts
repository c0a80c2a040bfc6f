/** Processes for tests of what belongs to one. */
import { spawnSync } from 'node:child_process';
import { processTag } from '../../lib/output/process-tag';

/** The tag of a process of this machine that has ended. */
export function deadProcessTag(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return processTag().replace(/-\d+-(\d+)$/, `-${pid}-$1`);
}
