/** Files and directories that belong to one running process, told by name: what a dead one left can be taken away. */
import { hostname } from 'node:os';

/** Beyond this age something another machine left counts as abandoned: its process cannot be asked for. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** `<host>-<pid>`: this process, as names carry it. */
export function ownerTag(): string {
  return `${hostTag()}-${process.pid}`;
}

/** Whether the process a tag names has ended. `modified` is the time, in ms, when what it owns was last written. */
export function isAbandoned(tag: string, modified: number): boolean {
  const match = /^(.*)-(\d+)$/.exec(tag);
  if (match === null || match[1] !== hostTag()) return Date.now() - modified > abandonedAfter;
  const pid = Number(match[2]);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Caches may be shared between machines and containers, whose process numbers mean nothing to one another. */
function hostTag(): string {
  return hostname().replace(/[^\w.]+/g, '_') || 'host';
}
