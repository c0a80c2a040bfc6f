/** Starts the process that looks, and gathers what it finds, also if it does not come to an end. */
import { fork } from 'node:child_process';
import type { DiagnosisMessage, Findings, Step } from '../../diagnosis/report';

/** What a step does, for the sentence that says during which one the process ended. */
const doings: Readonly<Record<Step, string>> = {
  locating: 'looking for libtorch',
  loading: 'opening libtorch and the addon',
  asking: 'asking libtorch for its devices',
  testing: 'computing the self-test',
};

const remedies: Partial<Record<Step, readonly string[]>> = {
  loading: [
    'npx libtorch-losses install   installs a libtorch, if this one is damaged',
    'npm install libtorch-losses   reinstalls this package, if the addon is damaged',
  ],
};

/** Runs lib/diagnosis/child.ts, or another program that speaks as it does. */
export function diagnose(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  program: string = require.resolve('../../diagnosis/child'),
): Promise<Findings> {
  return new Promise((done, refuse) => {
    // What libraries print must not get between the lines of a document, and warnings are told as notes.
    const child = fork(program, [], {
      env,
      execArgv: [...process.execArgv, '--no-warnings'],
      stdio: ['ignore', 2, 2, 'ipc'],
      signal,
    });
    let findings: Findings = { attempts: [], addons: [], selfTest: [] };
    let step: Step = 'locating';
    child.on('message', (message: DiagnosisMessage) => {
      if ('begins' in message) step = message.begins;
      else findings = { ...findings, ...message.found };
    });
    child.on('error', refuse);
    child.on('close', (status, killed) => {
      if (status !== 0 && findings.error === undefined) {
        const problem = `the process ended by ${killed ?? `status ${status}`} while ${doings[step]}`;
        findings = { ...findings, error: { code: 'RUNTIME', problem, remedies: remedies[step] ?? [] } };
      }
      done(findings);
    });
  });
}
