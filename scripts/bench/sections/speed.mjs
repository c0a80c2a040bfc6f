// Time a call: every case, with one thread and with all, each form in turn, peers interleaved.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare } from '../agreement.mjs';
import { chooseCases, forms, targetOverhead, targetRatio } from '../cases.mjs';
import { writeInputs } from '../inputs.mjs';
import { difference, measure, ratio } from '../measure.mjs';
import { asked, loadRequest } from '../peers/process.mjs';

/** Measures the chosen cases; returns one record for each case, form and number of threads. */
export async function measureSpeed({ peers, options, threads, progress }) {
  const chosen = chooseCases(options);
  const records = [];
  for (const [index, kase] of chosen.entries()) {
    const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-bench-'));
    try {
      progress(`${index + 1}/${chosen.length} ${kase.id}`);
      records.push(...(await measureCase(kase, { peers, options, threads, folder })));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return records;
}

async function measureCase(kase, { peers, options, threads, folder }) {
  const takers = peers.filter((peer) => threads.some((count) => takes(peer, kase, count)));
  const request = loadRequest(kase, writeInputs(kase, folder));
  for (const peer of takers) await asked(peer, ...request);
  rmSync(folder, { recursive: true, force: true });
  const records = [];
  for (const count of threads) {
    for (const peer of takers) await asked(peer, 'threads', count);
    for (const form of forms) {
      const participants = participantsOf(takers, kase, form, count);
      if (participants.length === 0) continue;
      await agree(kase, form, participants);
      records.push(record(kase, form, count, await measure(participants, options.measure)));
    }
  }
  return records;
}

function takes(peer, kase, threads) {
  return forms.some((form) => Object.keys(peer.columns(kase, form, threads)).length > 0);
}

function participantsOf(peers, kase, form, threads) {
  return peers.flatMap((peer) =>
    Object.entries(peer.columns(kase, form, threads)).map(([id, asks]) => ({
      id,
      check: () => asked(peer, 'check', asks),
      run: async (count) => (await asked(peer, 'run', asks, count)).seconds,
    })),
  );
}

async function agree(kase, form, participants) {
  const results = {};
  for (const { id, check } of participants) results[id] = await check();
  compare(kase, form, results);
}

function record({ loss, size, dtype, elements }, form, threads, times) {
  const kase = { loss, size, dtype, elements };
  const toPyTorch = Object.fromEntries(
    Object.entries(times)
      .filter(([id]) => id !== 'pytorch' && times.pytorch !== undefined)
      .map(([id, time]) => [id, ratio(time, times.pytorch)]),
  );
  const overCpp = targetOverhead(kase, form) === undefined ? undefined : difference(times.tensors, times.cpp);
  return {
    ...kase,
    form,
    threads,
    times,
    toPyTorch,
    target: targetRatio(kase, form),
    overCpp: overCpp === undefined ? undefined : overCpp * 1e6,
    targetOverCpp: targetOverhead(kase, form),
  };
}
