/** When bits are asked for, and when PyTorch's tolerances judge instead. */
import * as torch from '../index';
import type { DType } from '../types';
import { type Tolerance, tolerances } from './bits';
import type { Manifest } from './vectors';

/** How strictly to compare: bit for bit, or within PyTorch's tolerances if equal bits cannot be expected. */
export type Judge =
  | {
      exact: true;
      /** The operators whose bits cannot be expected all the same. */
      but?: { ops: readonly string[]; because: string };
    }
  | { exact: false; because: string };

/** The facts of the computing process that bits depend on. */
export interface Host {
  /** libtorch's version, without the build after `+`. */
  libtorch: string;
  /** Node's name of the processor architecture. */
  arch: string;
  /** The C library as `glibc 2.36`, or empty. */
  libc: string;
  /** Which of ATen's CPU kernels run. */
  capability: string;
  /** The threads that an operator may use on the CPU. */
  threads: number;
  /** Whether square roots are rounded correctly. They are MKL's, which has other code for each kind of processor. */
  exactRoots: boolean;
}

/** The operators that take square roots of computed values. */
const rooted = [
  'cosine_embedding_loss',
  'cosine_similarity',
  'pairwise_distance',
  'triplet_margin_loss',
  'triplet_margin_with_distance_loss',
];

/** This process. Loads libtorch. */
export function thisHost(): Host {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const glibc = report.header?.glibcVersionRuntime;
  return {
    libtorch: torch.libtorchVersion(),
    arch: process.arch,
    libc: glibc === undefined ? '' : `glibc ${glibc}`,
    capability: torch.cpuCapability(),
    threads: torch.getNumThreads(),
    exactRoots: hasExactRoots(),
  };
}

/** Whether libtorch rounds each of a thousand square roots as IEEE 754 asks for: JavaScript does. */
function hasExactRoots(): boolean {
  const numbers = Float32Array.from({ length: 1000 }, (_, i) => 0.013 * i + 0.001);
  const roots = torch.scope(() => torch.tensor(numbers).sqrt().toTypedArray<Float32Array>());
  return numbers.every((value, i) => Math.fround(Math.sqrt(value)) === roots[i]);
}

/**
 * Bits are expected where all that they depend on is the same: libtorch's minor version, the kernels and threads, the
 * architecture, and the C library, whose exp, log1p and their like the default kernels call. Never on another device
 * than the CPU, where the vectors were recorded.
 */
export function judgeFor(manifest: Manifest, host: Host, device = 'cpu'): Judge {
  const because: string[] = [];
  const arch = { x86_64: 'x64', aarch64: 'arm64' }[manifest.machine] ?? manifest.machine;
  const differs = (recorded: string, here: string): void => {
    because.push(`recorded ${recorded}, this is ${here}`);
  };
  if (device !== 'cpu') differs('on the CPU', device);
  if (minor(host.libtorch) !== minor(manifest.torch)) {
    differs(`with libtorch ${manifest.torch}`, host.libtorch);
  }
  if (host.arch !== arch) differs(`on ${arch}`, host.arch);
  if (host.libc !== manifest.libc) differs(`with ${manifest.libc}`, host.libc || 'another C library');
  if (device === 'cpu' && host.capability !== manifest.capability) {
    differs(`with ${manifest.capability} kernels`, host.capability);
  }
  if (device === 'cpu' && host.threads !== manifest.threads) {
    differs(`with ${count(manifest.threads)}`, count(host.threads));
  }
  if (because.length > 0) return { exact: false, because: because.join('; ') };
  if (host.exactRoots) return { exact: true };
  return { exact: true, but: { ops: rooted, because: "MKL's square roots are rounded otherwise on this processor" } };
}

/** How far a result of an operator may be off; `undefined` if it must be equal. */
export function toleranceOf(dtype: DType, judge: Judge, op?: string): Tolerance | undefined {
  return judge.exact && !(op !== undefined && judge.but?.ops.includes(op)) ? undefined : tolerances[dtype];
}

function count(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
