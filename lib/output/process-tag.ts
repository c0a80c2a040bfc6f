/** Names for what belongs to one running process, so that what a dead one left can be told from what is in use. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Beyond this age something another machine left counts as abandoned: its process cannot be asked for. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** `<machine>-<process>-<start>`: this process, as names carry it. */
export function processTag(): string {
  return `${machineTag()}-${process.pid}-${startOf(process.pid) ?? 0}`;
}

/** Whether the process that a tag names has ended. `modified` is the time, in ms, when what it owns was last written. */
export function isAbandoned(tag: string, modified: number): boolean {
  const match = /^([\w.]+)-(\d+)-(\d+)$/.exec(tag);
  if (match === null || match[1] !== machineTag()) return Date.now() - modified > abandonedAfter;
  const pid = Number(match[2]);
  // A number that another process has by now: containers give the same few again and again.
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

/** The pattern of a tag in a name. */
export const tagPattern = '[\\w.]+-\\d+-\\d+';

/** When a process was started, in the kernel's ticks; `undefined` where there is no such process, or no /proc. */
function startOf(pid: number): number | undefined {
  try {
    // The name of the program, in brackets, may hold anything; the start is the 20th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\)\s*/s, '')
      .split(' ');
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** Folders may be shared between machines and containers, whose process numbers mean nothing to one another. */
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
