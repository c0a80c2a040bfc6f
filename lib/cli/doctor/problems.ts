/** What is to be said of what the doctor found, and what to do about it. */
import { exampleCudaFlavour, isSupported, supportedRange } from '../../binding/libtorch-versions';
import type { Findings, MachineFacts, Problem } from '../../diagnosis/report';

/** What the judgement is made of. */
export interface Examined extends Findings {
  machine: MachineFacts;
  environment: Readonly<Record<string, string>>;
  /** The Node that the package asks for: `'>=20.17'`. */
  engine: string;
  /** Whether PyTorch publishes a libtorch for this machine. */
  published: boolean;
}

/** The problems, the worst first, and notes. */
export function problemsOf(examined: Examined): Problem[] {
  const found = [
    nodeProblem(examined),
    errorProblem(examined),
    unsupportedNote(examined),
    cudaProblem(examined),
    ...selfTestProblems(examined),
    cacheNote(examined),
    platformNote(examined),
  ].filter((each) => each !== undefined);
  return [
    ...found.filter(({ severity }) => severity === 'problem'),
    ...found.filter(({ severity }) => severity === 'note'),
  ];
}

function problem(text: string, remedies: readonly string[] = []): Problem {
  return { severity: 'problem', text, remedies };
}

function note(text: string, remedies: readonly string[] = []): Problem {
  return { severity: 'note', text, remedies };
}

function nodeProblem({ machine, engine }: Examined): Problem | undefined {
  const [least = '0.0'] = /\d+\.\d+/.exec(engine) ?? [];
  const [neededMajor = 0, neededMinor = 0] = least.split('.').map(Number);
  const [major = 0, minor = 0] = machine.node.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return problem(`Node ${machine.node} is too old: this package needs ${engine}`, ['install a newer Node']);
}

function errorProblem({ error }: Examined): Problem | undefined {
  return error && problem(error.problem, error.remedies);
}

/** Only where `LIBTORCH_LOSSES_ALLOW_UNSUPPORTED` lets it be used; else it is an error. */
function unsupportedNote({ loaded, libtorch }: Examined): Problem | undefined {
  const version = loaded?.version ?? libtorch?.version;
  if (version === undefined || isSupported(version)) return undefined;
  return note(`libtorch ${version} is outside the supported versions ${supportedRange}`, [
    'npx libtorch-losses install   installs a supported one',
  ]);
}

/** A CUDA build that cannot be opened as one is broken; one without a driver, or a CPU build, is as good as it gets. */
function cudaProblem({ runtime, libtorch }: Examined): Problem | undefined {
  const reason = runtime?.cuda.whyUnavailable;
  if (runtime === undefined || reason === undefined) return undefined;
  const { failed, missing } = runtime.cuda;
  if (failed) {
    const install = `npx libtorch-losses install --cuda ${exampleCudaFlavour}   installs a libtorch with all of its CUDA libraries`;
    return problem(`${reason}; the CPU can be used`, missing?.remedies ?? [install]);
  }
  if (libtorch?.flavour !== 'cuda') return undefined;
  return note(`CUDA cannot be used, though this libtorch is built for it: ${reason}`, [
    'install or update the NVIDIA driver, if this machine has such a device',
    'in a container, pass the GPUs through (docker run --gpus all)',
  ]);
}

function selfTestProblems({ selfTest }: Examined): Problem[] {
  return selfTest
    .filter(({ passed }) => !passed)
    .map(({ device, what, computed, known }) =>
      problem(`${what} on ${device} is ${shown(computed)}, but PyTorch gives ${shown(known)}`, [
        'npx libtorch-losses parity    compares everything, and shows whether more is wrong',
        'npx libtorch-losses install   installs another libtorch, to see whether it is this one',
      ]),
    );
}

function shown(numbers: readonly number[]): string {
  const [first] = numbers;
  if (first === undefined) return 'nothing';
  return numbers.length === 1 ? String(first) : `[${numbers.map((number) => number.toPrecision(4)).join(', ')}]`;
}

function cacheNote({ environment }: Examined): Problem | undefined {
  const set = environment.LIBTORCH_LOSSES_CPU_CACHE;
  if (set === undefined || /^\d+$/.test(set)) return undefined;
  return note(`LIBTORCH_LOSSES_CPU_CACHE is '${set}', which is not a number of megabytes: it is ignored`, [
    'LIBTORCH_LOSSES_CPU_CACHE=256   keeps up to 256 MB of freed memory; 0 keeps none',
  ]);
}

function platformNote({ machine, published, loaded }: Examined): Problem | undefined {
  if (published || loaded !== undefined) return undefined;
  const libc = machine.libc === '' ? '' : ` with ${machine.libc}`;
  return note(`PyTorch publishes no libtorch for ${machine.platform} ${machine.arch}${libc}`, [
    'LIBTORCH=/path/to/libtorch    uses a libtorch that you built',
  ]);
}
