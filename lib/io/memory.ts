/** Whether there is memory for what a file asks for. */
import { badData } from './bad-data';

/** Less than this is not worth a look: every machine has it. */
const small = 256e6;

/** What other parts of the process need beside it. */
const share = 0.75;

/**
 * Refuses what a machine (or the limit of a container) has no memory for: systems promise more than they have, and end
 * processes that take them at their word.
 *
 * @throws TorchError `BAD_DATA` with the figures.
 */
export function checkMemory(name: string, bytes: number, what: string, remedy = ''): void {
  if (bytes < small) return;
  const available = process.availableMemory();
  if (bytes <= available * share) return;
  const advice = remedy === '' ? '' : `: ${remedy}`;
  throw badData(
    name,
    `needs ${gigabytes(bytes)} of memory for ${what}, of ${gigabytes(available)} that are free${advice}`,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
