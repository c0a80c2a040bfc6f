// Runs steps one after the other, prints a line for each that had something to do, and explains the one that fails.
import { spawn } from 'node:child_process';

/** A step failed for a known reason: `message` says it, `output` is the output of the failed program. */
export class StepFailure extends Error {
  constructor(message, { output = '', remedies = [] } = {}) {
    super(message);
    this.output = output;
    this.remedies = remedies;
  }
}

/** How much of a program's output is shown: some name the cause first, others last. */
const shown = { first: 12, last: 30 };

/** Runs the steps; returns the exit status. */
export async function runSteps(context, steps) {
  const start = performance.now();
  let worked = 0;
  for (const step of steps) {
    const stepStart = performance.now();
    const announce = (what) => console.log(`· ${step.name}: ${what}`);
    try {
      const done = await step.run({ ...context, announce, shared: context });
      if (done === undefined) continue;
      worked++;
      console.log(`✔ ${step.name}: ${done} · ${seconds(stepStart)}`);
    } catch (error) {
      console.error(`✘ ${step.name} failed · ${seconds(stepStart)}`);
      explain(error, step.help);
      return 1;
    }
  }
  const state = worked === 0 ? 'up to date' : 'ready';
  console.log(`✔ ${[state, ...context.summary].join(' · ')} · ${seconds(start)}`);
  return 0;
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

function explain(error, help) {
  const output = typeof error.output === 'string' ? error.output.trimEnd() : '';
  if (output !== '') {
    const lines = output.split('\n');
    const hidden = lines.length - shown.first - shown.last;
    if (hidden > 0) lines.splice(shown.first, hidden, `… ${hidden} more lines …`);
    console.error(lines.map((line) => `  ${line}`).join('\n'));
  }
  console.error(error instanceof StepFailure || error.output !== undefined ? error.message : error.stack);
  const remedies = error.remedies?.length > 0 ? error.remedies : (help?.(output) ?? []);
  if (remedies.length > 0) console.error(['Possible solutions:', ...remedies.map((line) => `  ${line}`)].join('\n'));
}

/**
 * Runs a program to its end; returns its output, or throws a StepFailure with it.
 *
 * `inherit` lets it print for itself, which a download does to show its progress.
 */
export function run(command, args, { cwd, env = process.env, inherit = false, shell = false }) {
  return new Promise((resolve, reject) => {
    const stdio = inherit ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env, stdio, shell });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-64_000);
      });
    }
    const line = [command === process.execPath ? 'node' : command, ...args].join(' ');
    child.on('error', (error) => reject(new StepFailure(`cannot start ${line}: ${error.message}`, { output })));
    child.on('close', (status, signal) => {
      if (status === 0) resolve(output);
      else reject(new StepFailure(`${line} ended with ${signal ?? `status ${status}`}`, { output }));
    });
  });
}
