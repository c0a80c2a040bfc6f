/** What is known without libtorch: the machine, Node, and the variables of the environment that matter. */
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import type { Host } from '../../binding/host';
import type { MachineFacts } from '../../diagnosis/report';
import { libcName } from '../shared/platform';

/** The machine that this process runs on. */
export function machineFacts(host: Host): MachineFacts {
  return {
    platform: platform(),
    arch: arch(),
    libc: libcName(host),
    release: release(),
    processor: cpus()[0]?.model.trim() ?? '',
    processors: availableParallelism(),
    memory: totalmem(),
    node: process.versions.node,
    nodeApi: process.versions.napi ?? '',
    executable: process.execPath,
  };
}

/** Those that steer the search, the libraries or the kernels. None of them holds a secret: reports are made public. */
const variables = [
  'LIBTORCH',
  'LIBTORCH_USE_PYTORCH',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'LIBTORCH_LOSSES_CACHE',
  'XDG_CACHE_HOME',
  'LIBTORCH_LOSSES_ALLOW_UNSUPPORTED',
  'LIBTORCH_LOSSES_CPU_CACHE',
  'ATEN_CPU_CAPABILITY',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'CUDA_VISIBLE_DEVICES',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'DYLD_LIBRARY_PATH',
  'NODE_OPTIONS',
] as const;

/** The variables that are set. */
export function relevantEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = variables.map((name) => [name, env[name]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [(typeof variables)[number], string] => Boolean(entry[1])),
  );
}
