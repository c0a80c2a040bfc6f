/**
 * Tags that name the process a temporary file, a lock or a staging directory belongs to, so that leftovers of a dead
 * process can be told from files in use.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Age beyond which a file of another machine counts as abandoned: its process cannot be checked from here. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** The tag of this process: `<machine>-<pid>-<start time>`. */
export function processTag(): string {
  return `${machineTag()}-${process.pid}-${startOf(process.pid) ?? 0}`;
}

/** Whether the process that a tag names has ended. `modified` is when its file was last written, in ms. */
export function isAbandoned(tag: string, modified: number): boolean {
  const match = /^([\w.]+)-(\d+)-(\d+)$/.exec(tag);
  if (match === null || match[1] !== machineTag()) return Date.now() - modified > abandonedAfter;
  const pid = Number(match[2]);
  // The pid may belong to another process by now: containers reuse the same few.
  const start = startOf(pid);
  if (start !== undefined && start !== Number(match[3])) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** A regular expression for tags in file names. */
export const tagPattern = '[\\w.]+-\\d+-\\d+';

/** When a process was started, in the kernel's ticks; `undefined` without such a process or without /proc. */
function startOf(pid: number): number | undefined {
  try {
    // The program's name, in parentheses, may contain anything. The start time is the 20th field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\)\s*/s, '')
      .split(' ');
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** Folders may be shared between machines and containers, whose pids mean nothing to one another. */
function machineTag(): string {
  const name =
    hostname()
      .replace(/[^\w.]+/g, '_')
      .slice(0, 40) || 'host';
  try {
    return `${name}.${readlinkSync('/proc/self/ns/pid').replace(/\D+/g, '')}`;
  } catch {
    return name;
  }
}
