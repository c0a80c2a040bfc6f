// By how much value and gradient of a large cross entropy raise the peak of the resident memory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cases } from '../cases.mjs';
import { writeInputs } from '../inputs.mjs';
import { loadRequest, PeerProcess } from '../peers/process.mjs';

/** The peak may be that many times the gradient. */
const target = 1.1;

/** Sizes of the cross entropy: one that brings in code and threads first, and the one that is measured. */
const sizes = ['32x10', '4096x8000'];

/** Measures this library and PyTorch, each in a fresh process; returns one record for each. */
export async function measureMemory({ peers, threads, progress }) {
  const [warm, measured] = sizes.map((size) =>
    cases.find((kase) => kase.loss === 'crossEntropy' && kase.size === size && kase.dtype === 'float32'),
  );
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-bench-'));
  const records = [];
  try {
    const inputs = writeInputs(measured, folder);
    for (const peer of peers.filter(({ id }) => id === 'tensors' || id === 'pytorch')) {
      progress(`memory of ${peer.id}`);
      const own = new PeerProcess(peer.program);
      try {
        await own.ask('threads', threads.at(-1));
        const small = mkdtempSync(join(folder, 'warm-'));
        await own.ask(...loadRequest(warm, writeInputs(warm, small)));
        await own.ask('run', 'gradient', 100);
        await own.ask(...loadRequest(measured, inputs));
        const { bytes } = await own.ask('memory');
        const gradient = measured.elements * 4;
        records.push({ peer: peer.id, size: measured.size, bytes, gradient, ratio: bytes / gradient });
      } finally {
        await own.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return records.map((record) => (record.peer === 'tensors' ? { ...record, target } : record));
}
