// What figures have to be told with: date, machine and versions.
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** Date, processor, memory and versions, in one line. */
export function describeMachine(dist) {
  const torch = createRequire(import.meta.url)(join(dist, 'index.js'));
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const machine = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, ${memory}`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date} · ${machine} · Node ${process.versions.node} · libtorch ${torch.libtorchVersion()} · ${process.platform}-${process.arch}`;
}
