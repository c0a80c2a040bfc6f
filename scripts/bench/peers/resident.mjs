// How much memory of this process lies in RAM, now and at most.
import { readFileSync, writeFileSync } from 'node:fs';

/** Forgets the peak so far where the system can; elsewhere what comes later must rise above it to be seen. */
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
 * The most bytes that ever were. On Linux from the process's own figure: that of getrusage() starts with what the
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
