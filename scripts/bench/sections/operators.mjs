// Small calls, whose kernels take less time than their overhead: operators, losses as tensors and numbers, with a
// graph, and with another shape at each call; on one thread, peers interleaved.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare } from '../agreement.mjs';
import { writeInputs } from '../inputs.mjs';
import { measure, ratio } from '../measure.mjs';
import { asked, loadRequest } from '../peers/process.mjs';

/** So many shapes come in turn: more than anybody would keep ready. */
const shapes = 40;

const square = matrix(8, 8);

/**
 * What is called, its inputs as `{ fill, dtype, shape }`, the form of its result, and the ratio to PyTorch's time that
 * is aimed at.
 */
export const calls = [
  call('add', '8x8', [square, square], 'tensor', 0.9),
  call('relu', '8x8', [square], 'tensor', 0.9),
  call('view', '8x8', [square], 'tensor', 0.9),
  call('matmul', '8x8', [square, square], 'tensor', 0.9),
  call('sum', '8x8', [square], 'tensor', 0.9),
  call('crossEntropy', '3x4', scores(3, 4), 'tensor', 0.7),
  call('crossEntropy', '3x4', scores(3, 4), 'number', 0.5),
  call('crossEntropy', '32x10', scores(32, 10), 'tensor', 0.8),
  call('crossEntropy', '32x10', scores(32, 10), 'number', 0.75),
  call('crossEntropyWithGraph', '3x4', scores(3, 4), 'tensor', 0.7),
  call('crossEntropyInTurn', `${shapes} shapes`, inTurn(), 'tensor', 1),
];

/** A call, as the sections of calls have it. */
export function call(name, size, inputs, form, target) {
  return { id: `${name} ${size} ${form}`, loss: name, size, dtype: 'float32', inputs, form, target };
}

export function matrix(rows, columns) {
  return { fill: 'normal', dtype: 'float32', shape: [rows, columns] };
}

export function scores(rows, classes) {
  return [matrix(rows, classes), { fill: 'labels', below: classes, dtype: 'int64', shape: [rows] }];
}

function inTurn() {
  return Array.from({ length: shapes }, (_, i) => scores(3 + i, 4)).flat();
}

/** Measures them, or those whose name contains the filter; returns one record for each call. */
export const measureOperators = (context) => measureCalls('operators', calls, context);

/** Measures calls on one thread, by all peers of a section. */
export async function measureCalls(section, all, { peers, options, progress }) {
  const takers = peers.filter(({ usedIn }) => usedIn.includes(section));
  for (const peer of takers) await asked(peer, 'threads', 1);
  const filter = options.filter.toLowerCase();
  const chosen = all.filter(({ id }) => id.toLowerCase().includes(filter));
  const records = [];
  for (const [index, kase] of chosen.entries()) {
    progress(`${index + 1}/${chosen.length} ${kase.id}`);
    records.push(await measureCall(kase, takers, options));
  }
  return records;
}

async function measureCall(kase, peers, options) {
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-bench-'));
  try {
    const request = loadRequest(kase, writeInputs(kase, folder));
    const results = {};
    for (const peer of peers) {
      await asked(peer, ...request);
      results[peer.id] = await asked(peer, 'check', kase.form);
    }
    compare(kase, kase.form, results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const participants = peers.map((peer) => ({
    id: peer.id,
    run: async (count) => (await asked(peer, 'run', kase.form, count)).seconds,
  }));
  const times = await measure(participants, options.measure);
  const { loss, size, form, target } = kase;
  return { call: loss, size, form, times, toPyTorch: ratio(times.tensors, times.pytorch), target };
}
