/** What `libtorch-losses doctor` finds, as its `--json` prints it. All of it survives JSON. */
import type { MissingLibrary } from '../binding/cuda-libraries';
import type { LocatedLibtorch } from '../binding/locate';
import type { LoadAttempt } from '../errors';

/** The machine and the program, known without libtorch. */
export interface MachineFacts {
  /** Node's name of the operating system: `'linux'`. */
  platform: string;
  arch: string;
  /** The C library of Linux: `'glibc 2.36'`, `'musl'`; else empty. */
  libc: string;
  /** The operating system's own version. */
  release: string;
  /** The name of the processor; empty where it is not told. */
  processor: string;
  /** The processors that this process may use. */
  processors: number;
  /** Bytes of memory. */
  memory: number;
  /** Node's version: `'22.1.0'`. */
  node: string;
  /** The newest Node-API of this Node: `'10'`. */
  nodeApi: string;
  /** The file of this Node. */
  executable: string;
}

/** An error of the process that looked. */
export interface FoundError {
  code: string;
  /** What is wrong. */
  problem: string;
  remedies: readonly string[];
}

/** libtorch on disk. */
export type LibtorchFacts = Omit<LocatedLibtorch, 'attempts'>;

/** What was loaded. */
export interface LoadedFacts {
  /** The version that the library itself reports. */
  version: string;
  /** The library file that was opened. */
  library: string;
  /** The addon file that was opened. */
  addon: string;
  /** The libtorch whose headers the addon was compiled with. */
  builtFor: string;
}

/** Why CUDA cannot be used, where it cannot. */
export interface CudaFacts {
  devices: number;
  whyUnavailable?: string;
  /** The library that a CUDA build lacks, where one is missing. */
  missing?: MissingLibrary;
  /** Whether libtorch's CUDA half is there and could not be opened. */
  failed: boolean;
}

/** What there is to compute with. */
export interface RuntimeFacts {
  /** Which of ATen's CPU kernels run. */
  capability: string;
  /** The threads that an operator may use on the CPU. */
  threads: number;
  /** Whether this package's allocator keeps freed memory, and the figures of `memory()`. */
  allocator: { caching: boolean; allocated: number; cached: number };
  cuda: CudaFacts;
}

/** One result of the self-test. */
export interface SelfTestResult {
  device: string;
  /** `'cross entropy'`, `'its gradient'`. */
  what: string;
  /** What libtorch computed; several numbers for a gradient. */
  computed: readonly number[];
  /** What PyTorch gives. */
  known: readonly number[];
  /** What the reference in plain TypeScript computed. */
  reference: readonly number[];
  /** How far a computed number, or one of the reference, is from the known one at most; `null` if one is not a number. */
  error: number | null;
  passed: boolean;
}

/** What is to be said of a finding. */
export interface Problem {
  /** A note does not change the exit status. */
  severity: 'problem' | 'note';
  text: string;
  /** What to do about it. */
  remedies: readonly string[];
}

/** What the process found that looked; what it did not come to is missing. */
export interface Findings {
  /** Every place that was looked at for libtorch. */
  attempts: readonly LoadAttempt[];
  /** The addon files that are there. */
  addons: readonly string[];
  libtorch?: LibtorchFacts;
  loaded?: LoadedFacts;
  runtime?: RuntimeFacts;
  selfTest: readonly SelfTestResult[];
  /** Why it went no further. */
  error?: FoundError;
}

/** All that `libtorch-losses doctor` knows. */
export interface DoctorReport extends Findings {
  /** The version of this layout. */
  format: 1;
  /** The version of this package, and where it is. */
  version: string;
  package: string;
  machine: MachineFacts;
  /** The variables of the environment that steer the package or libtorch, where they are set. */
  environment: Readonly<Record<string, string>>;
  problems: readonly Problem[];
  healthy: boolean;
}

/** What the process does, in this order. */
export const steps = ['locating', 'loading', 'asking', 'testing'] as const;

/** What the process does, in this order. */
export type Step = (typeof steps)[number];

/** What the process says: that it begins a step, or what it found. */
export type DiagnosisMessage = { begins: Step } | { found: Partial<Findings> };
