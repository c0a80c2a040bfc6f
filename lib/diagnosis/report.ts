/** The report of `libtorch-losses doctor`, as `--json` prints it: plain data. */
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
  /** The name of the processor; empty if unknown. */
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
  /** The problem. */
  problem: string;
  remedies: readonly string[];
}

/** libtorch on disk. */
export type LibtorchFacts = Omit<LocatedLibtorch, 'attempts'>;

/** The libraries that were loaded. */
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

/** Why CUDA cannot be used. */
export interface CudaFacts {
  devices: number;
  whyUnavailable?: string;
  /** The missing library of a CUDA build, if one is missing. */
  missing?: MissingLibrary;
  /** Whether libtorch has a CUDA half that could not be opened. */
  failed: boolean;
}

/** The devices to compute on. */
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
  /** The result of libtorch; several numbers for a gradient. */
  computed: readonly number[];
  /** PyTorch's result. */
  known: readonly number[];
  /** The result of the reference in plain TypeScript. */
  reference: readonly number[];
  /**
   * How far a computed number, or one of the reference, is from the known one at most; `null` if one is not a number.
   */
  error: number | null;
  passed: boolean;
}

/** A remark on a finding. */
export interface Problem {
  /** A note does not change the exit status. */
  severity: 'problem' | 'note';
  text: string;
  /** The remedies. */
  remedies: readonly string[];
}

/** The findings of the child process; those it did not reach are missing. */
export interface Findings {
  /** Every place that was looked at for libtorch. */
  attempts: readonly LoadAttempt[];
  /** The existing addon files. */
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
  /** The version and the path of this package. */
  version: string;
  package: string;
  machine: MachineFacts;
  /** The environment variables that affect the package or libtorch, if they are set. */
  environment: Readonly<Record<string, string>>;
  problems: readonly Problem[];
  healthy: boolean;
}

/** The steps of the child process, in order. */
export const steps = ['locating', 'loading', 'asking', 'testing'] as const;

/** What the process does, in this order. */
export type Step = (typeof steps)[number];

/** A message of the child process: the beginning of a step, or a finding. */
export type DiagnosisMessage = { begins: Step } | { found: Partial<Findings> };
