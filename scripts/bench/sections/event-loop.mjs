// How long the event loop waits while losses run off the main thread.
import { runNode } from './program.mjs';

/** The most milliseconds that the event loop may be delayed. */
const target = 10;

/** Runs the measurements in a process of their own. */
export async function measureEventLoop({ options, progress }) {
  progress('event loop while a loss runs asynchronously');
  const { rows } = await runNode('event-loop-delay.mjs', [options.quick ? '0.2' : '2']);
  return rows.map((row) => (row.isAsynchronous ? { ...row, target } : row));
}
