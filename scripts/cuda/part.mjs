// The process side of a part: its request, and the reporting of its findings. It reports at once, so that findings from
// before a crash are kept.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Whoever ordered it is gone. */
const abandoned = () => process.exit(1);
process.once('disconnect', abandoned);

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const require = createRequire(import.meta.url);

/** A module of the compiled library. */
export function library(module = 'index') {
  return require(`../../dist/${module}.js`);
}

/** The request: `{ device, devices, gpuMemory, quick, seconds, python, whyNoPython, cases }`; see main.mjs. */
export const order = JSON.parse(process.argv[2]);

/** Where it is, for the line on the terminal and for whoever asks at which place it ended. */
export function progress(text) {
  process.send({ kind: 'progress', text });
}

/** Something that holds or does not. `detail` says more. */
export function check(name, passed, detail) {
  process.send({ kind: 'check', name, passed, detail });
}

/** Something that was not run, and why. */
export function notRun(name, why) {
  process.send({ kind: 'not run', name, why });
}

/** A table of texts and numbers. */
export function table(title, heading, rows) {
  process.send({ kind: 'table', title, heading, rows });
}

/** Whatever belongs into the JSON document. */
export function data(name, value) {
  process.send({ kind: 'data', name, value });
}

/**
 * Ends the conversation, so that the process can end by itself. Whether it does is one of the things to be found out:
 * it is never told to.
 */
export function done() {
  process.send({ kind: 'done' });
  process.off('disconnect', abandoned);
  process.disconnect();
}

/** The remaining seconds of the part; findings have to be reported before they are over. */
export function secondsLeft() {
  return order.seconds - process.uptime();
}
