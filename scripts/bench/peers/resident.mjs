// How much memory of this process lies in RAM, now and at most.
import { readFileSync, writeFileSync } from 'node:fs';

/** Resets the peak if the system can; elsewhere only a higher one is seen later. */
export function resetHighWater() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not permitted.
  }
}

/** Bytes in RAM now. */
export function resident() {
  return process.memoryUsage.rss();
}

/**
 * The peak of resident bytes. On Linux from the process's own figure: that of getrusage() starts with what the
 * parent had used.
 */
export function highWater() {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(kilobytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
