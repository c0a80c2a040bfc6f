/** `libtorch-losses doctor`: what was found here, why that, whether it works, and what to do where it does not. */
import { thisHost } from '../../binding/host';
import type { DoctorReport } from '../../diagnosis/report';
import { type CommandContext, packageDescription, packageRoot, parseArguments } from '../shared/command';
import { wheelPlatform } from '../shared/platform';
import { machineFacts, relevantEnvironment } from './machine';
import { problemsOf } from './problems';
import { diagnose } from './process';
import { doctorTable } from './table';

const usage = `Usage: libtorch-losses doctor [options]

Prints what was found on this machine and why: Node, libtorch and how it was chosen, the addon, the devices, and how one
loss and one gradient come out; and for each problem what to do about it. It changes nothing.

Options:
  --json   prints one JSON document, for bug reports: it holds paths of this machine, and no secrets
  --help   this text

Exit status: 0 if all is well, 1 if there is a problem, 2 if the arguments are not understood.`;

/** What the arguments ask for. */
export interface DoctorArguments {
  help: boolean;
  json: boolean;
}

/**
 * Runs `libtorch-losses doctor` with the arguments after `doctor`.
 *
 * @returns the exit status: 1 if there is a problem.
 */
export async function doctor(args: readonly string[], { env, report, signal }: CommandContext): Promise<number> {
  const wanted = parseDoctorArguments(args);
  if (wanted.help) {
    report.line(usage);
    return 0;
  }
  const found = await examine(env, signal);
  report.line(wanted.json ? JSON.stringify(found, null, 2) : doctorTable(found));
  return found.healthy ? 0 : 1;
}

/** Reads the arguments; every mistake is an `INVALID_ARGUMENT` error. */
export function parseDoctorArguments(args: readonly string[]): DoctorArguments {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { json = false, help = false } = parseArguments('doctor', args, { options }).values;
  return { json, help };
}

async function examine(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<DoctorReport> {
  const host = thisHost();
  const { version, engines } = packageDescription();
  const machine = machineFacts(host);
  const environment = relevantEnvironment(env);
  const findings = await diagnose(env, signal);
  const published = wheelPlatform(host) !== undefined;
  const problems = problemsOf({ ...findings, machine, environment, engine: engines.node, published });
  const healthy = problems.every(({ severity }) => severity === 'note');
  return { format: 1, version, package: packageRoot, machine, environment, ...findings, problems, healthy };
}
