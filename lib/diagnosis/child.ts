/**
 * The child process of `libtorch-losses doctor`. A damaged library can end the process that opens it; the command
 * survives and reports which step that was, and what had been found before.
 */

import { addonFiles } from '../binding/addons';
import { missingCudaLibrary } from '../binding/cuda-libraries';
import { type LoadedLibtorch, loadedLibtorch, native } from '../binding/load';
import { locateLibtorch } from '../binding/locate';
import { LoadError, TorchError } from '../errors';
import { cpuCapability, cuda, empty, getNumThreads, memory } from '../index';
import type { Device } from '../types';
import type { DiagnosisMessage, Findings, FoundError, RuntimeFacts, SelfTestResult, Step } from './report';
import { selfTest } from './self-test';

function main(): void {
  try {
    begin('locating');
    found({ addons: addonFiles() });
    const { attempts, ...libtorch } = locateLibtorch();
    found({ attempts, libtorch });
    begin('loading');
    const loaded = loadedLibtorch();
    const { version, library, addon } = loaded;
    found({ loaded: { version, library, addon, builtFor: native().builtFor() } });
    begin('asking');
    const runtime = runtimeFacts(loaded);
    found({ runtime });
    begin('testing');
    const selfTests: SelfTestResult[] = [];
    for (const device of devicesOf(runtime)) {
      selfTests.push(...selfTest(device));
      found({ selfTest: selfTests });
    }
  } catch (error) {
    found({ error: described(error) });
    // The places of a missing addon say nothing about libtorch.
    if (error instanceof LoadError && error.code !== 'ADDON_NOT_FOUND') found({ attempts: error.attempts });
  }
}

function runtimeFacts(loaded: LoadedLibtorch): RuntimeFacts {
  const before = memory().cached;
  // If freed memory is cached, so is that of this tensor.
  empty([2 ** 18]).dispose();
  const { allocated, cached } = memory();
  const { cudaFailure, located } = loaded;
  const reason = cuda.whyUnavailable();
  const missing = cudaFailure === undefined ? undefined : missingCudaLibrary(cudaFailure, located);
  return {
    capability: cpuCapability(),
    threads: getNumThreads(),
    allocator: { caching: cached > before, allocated, cached },
    cuda: {
      devices: cuda.deviceCount(),
      ...(reason !== undefined && { whyUnavailable: reason }),
      ...(missing !== undefined && { missing }),
      failed: cudaFailure !== undefined,
    },
  };
}

function devicesOf(runtime: RuntimeFacts): Device[] {
  return ['cpu', ...Array.from({ length: runtime.cuda.devices }, (_, index): Device => `cuda:${index}`)];
}

function described(error: unknown): FoundError {
  if (!(error instanceof TorchError)) {
    return {
      code: 'RUNTIME',
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
      remedies: [],
    };
  }
  // The places searched and the remedies are reported separately.
  const problem = error.message.split(/\n(?:Places looked at|Possible solutions):/)[0] as string;
  return { code: error.code, problem, remedies: error instanceof LoadError ? error.remedies : [] };
}

function begin(step: Step): void {
  tell({ begins: step });
}

function found(found: Partial<Findings>): void {
  tell({ found });
}

function tell(message: DiagnosisMessage): void {
  process.send?.(message);
}

main();
