/** The arguments of `libtorch-losses install`, and what goes with what. */
import { defaultVersion, exampleCudaFlavour, isSupported, supportedRange } from '../../binding/libtorch-versions';
import { expected, show, TorchError } from '../../errors';
import { parseArguments } from '../shared/command';
import type { Build } from './sources';

/** The help text of the command; `%CACHE%` stands for the cache directory. */
export const usage = `Usage: libtorch-losses install [options]

Installs libtorch into this package's cache, from where it is found when the package is used.

Options:
  --version <version>    the libtorch to install, ${supportedRange} (default: ${defaultVersion})
  --cuda <build>         a build for CUDA, such as ${exampleCudaFlavour} (default: the CPU build)
  --from-file <file> …   a PyTorch wheel or a libtorch zip instead of a download; for CUDA also the wheels that its
                         libraries come in
  --allow-unverified     installs also what has no SHA-256, SHA-384 or SHA-512 that it could be verified by: a wheel
                         without one in the index, or a libtorch zip
  --dry-run              says what would be fetched, from where, and where it would be put; with --remove, what would
                         be removed. Nothing is changed
  --list                 lists what is installed in the cache, and which one is used
  --remove <which>       removes installs: a version (${defaultVersion}), a build (cpu, ${exampleCudaFlavour}), one of both
                         (${defaultVersion}-cpu), or all; may be given several times
  --help                 this text

Wheels come through pip where it is there, else from PyTorch's wheel index.

Exit status: 0, 1 if it could not be done, 2 if the arguments are not understood.

Environment variables:
  LIBTORCH_LOSSES_CACHE        the cache directory (now: %CACHE%)
  LIBTORCH_LOSSES_WHEEL_INDEX  a mirror of PyTorch's wheel index`;

/** What the arguments ask for. */
export type InstallArguments =
  | { action: 'help' }
  | { action: 'list' }
  | { action: 'remove'; which: string[]; dryRun: boolean }
  | ({ action: 'install'; files: string[]; dryRun: boolean; allowUnverified: boolean } & Build);

const options = {
  version: { type: 'string' },
  cuda: { type: 'string' },
  'from-file': { type: 'string', multiple: true },
  'allow-unverified': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  list: { type: 'boolean' },
  remove: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

type Flag = keyof typeof options;
type Values = ReturnType<typeof parse>['values'];

/** The flags that may stand beside those that do not install. */
const companions: Partial<Record<Flag, readonly Flag[]>> = { list: [], remove: ['dry-run'] };

/** Reads the arguments; every mistake is an `INVALID_ARGUMENT` (or `LIBTORCH_UNSUPPORTED`) error. */
export function parseInstallArguments(args: readonly string[], env: NodeJS.ProcessEnv): InstallArguments {
  const { values, positionals } = parse(args);
  if (values.help === true) return { action: 'help' };
  const files = values['from-file'] ?? [];
  // The shell spreads `--from-file *.whl` over the option and plain arguments.
  if (files.length > 0) files.push(...positionals);
  else if (positionals.length > 0) throw expected('install', 'options', 'only', show(positionals[0]));
  checkAlone(values);
  const dryRun = values['dry-run'] === true;
  if (values.list === true) return { action: 'list' };
  if (values.remove !== undefined) return { action: 'remove', which: values.remove.map(removable), dryRun };
  if (files.length > 0 && (values.version !== undefined || values.cuda !== undefined)) {
    throw expected('install', "'--from-file'", 'to stand alone', '--version or --cuda with it: the file tells both');
  }
  const allowUnverified = values['allow-unverified'] === true;
  return { action: 'install', ...requestedBuild(values, env), files, dryRun, allowUnverified };
}

function parse(args: readonly string[]) {
  return parseArguments('install', args, { options, allowPositionals: true });
}

function checkAlone(values: Values): void {
  const given = (Object.keys(options) as Flag[]).filter((flag) => values[flag] !== undefined);
  for (const [flag, allowed] of Object.entries(companions) as [Flag, readonly Flag[]][]) {
    const others = given.filter((other) => other !== flag && !allowed.includes(other));
    if (!given.includes(flag) || others.length === 0) continue;
    throw expected('install', `'--${flag}'`, 'to stand alone', `--${others.join(' and --')} with it`);
  }
}

function requestedBuild(values: Values, env: NodeJS.ProcessEnv): Build {
  const version = values.version ?? defaultVersion;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw expected('install', "'--version'", `to be a full version like ${defaultVersion}`, show(version));
  }
  checkSupported(version, env);
  const flavour = values.cuda ?? 'cpu';
  if (values.cuda !== undefined && !/^cu\d{2,3}$/.test(flavour)) {
    throw expected('install', "'--cuda'", `to be a CUDA build like ${exampleCudaFlavour}`, show(flavour));
  }
  return { version, flavour };
}

/** `libtorch-2.13.0-cpu`, `2.13.0+cpu` -> `2.13.0-cpu`. */
function removable(which: string): string {
  const name = which.replace(/^libtorch-/, '').replace('+', '-');
  if (/^(all|\d[\w.]*(-[a-z\d.]+)?|[a-z]+[a-z\d.]*)$/.test(name)) return name;
  const what = `to be a version like ${defaultVersion}, a build like cpu, both like ${defaultVersion}-cpu, or all`;
  throw expected('install', "'--remove'", what, show(which));
}

/** @throws TorchError `LIBTORCH_UNSUPPORTED` for a version outside the window, unless the environment allows it. */
export function checkSupported(version: string, env: NodeJS.ProcessEnv): void {
  if (isSupported(version) || env.LIBTORCH_LOSSES_ALLOW_UNSUPPORTED === '1') return;
  const message = `install: expected the version of libtorch to be one of ${supportedRange}, but received ${version}`;
  throw new TorchError('LIBTORCH_UNSUPPORTED', message, { op: 'install', argument: '--version' });
}
