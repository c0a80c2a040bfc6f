// The benchmark: `npm run bench`, described in docs/performance.md. Figures go to standard output, progress to standard
// error.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { Disagreement } from './agreement.mjs';
import { readOptions, UsageError, usage } from './options.mjs';
import { peers as allPeers, Unavailable } from './peers/index.mjs';
import { torch } from './peers/library.mjs';
import { PeerProcess } from './peers/process.mjs';
import { plot } from './plot.mjs';
import { measureEvaluate } from './sections/evaluate.mjs';
import { measureEventLoop } from './sections/event-loop.mjs';
import { measureLoop } from './sections/loop.mjs';
import { measureMemory } from './sections/memory.mjs';
import { measureOperators } from './sections/operators.mjs';
import { measureSpeed } from './sections/speed.mjs';
import { measureTraining } from './sections/training.mjs';
import {
  evaluateTable,
  eventLoopTable,
  loopTable,
  memoryTable,
  operatorsTable,
  showBytes,
  speedTables,
} from './table.mjs';

const { locateLibtorch } = createRequire(import.meta.url)('../../dist/binding/locate.js');

async function main(args) {
  try {
    const options = readOptions(args);
    if (options.help) console.log(usage);
    else await bench(options);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`bench: ${error.message}\n\n${usage}`);
      return 2;
    }
    console.error(error instanceof Disagreement ? `bench: results differ: ${error.message}` : error.stack);
    return 1;
  }
}

async function bench(options) {
  const start = performance.now();
  const peers = await startPeers(options);
  const result = { host: describeHost(peers), unavailable: peers.unavailable };
  console.log(heading(result.host));
  const context = { peers: peers.running, options, threads: options.threads, progress: progressSince(start) };
  const print = { isColoured: process.stdout.isTTY === true };
  try {
    if (options.plot !== undefined) checkPlot(peers, options);
    write(result, options);
    for (const name of options.sections) {
      result[name] = (await sections[name].measure(context)) ?? null;
      console.log(`\n${sections[name].show(result[name], print)}`);
      write(result, options);
    }
  } finally {
    await Promise.all(peers.running.map((peer) => peer.process.stop()));
  }
}

/** Writes the results so far: a later failure does not lose minutes of measuring. */
function write(result, { json, plot: picture }) {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 1)}\n`);
  if (picture !== undefined && result.speed !== undefined) {
    writeFileSync(picture, plot(result.speed, titleOf(result.host)));
  }
}

/** A plot that cannot be drawn is refused before anything is measured. */
function checkPlot({ running }, options) {
  const hasAll = ['tensors', 'pytorch'].every((needed) => running.some(({ id }) => id === needed));
  if (options.sections.includes('speed') && hasAll) return;
  throw new UsageError("--plot: expected the section speed to be measured with 'tensors' and 'pytorch'");
}

const sections = {
  speed: { measure: measureSpeed, show: (records, print) => speedTables(records, print).join('\n\n') },
  operators: { measure: measureOperators, show: operatorsTable },
  training: { measure: measureTraining, show: operatorsTable },
  memory: { measure: measureMemory, show: memoryTable },
  'event-loop': { measure: measureEventLoop, show: eventLoopTable },
  loop: { measure: measureLoop, show: loopTable },
  evaluate: { measure: measureEvaluate, show: evaluateTable },
};

/** Starts the peers that the options name and this machine has; missing ones are left out, with the reason. */
async function startPeers({ peers: ids, sections: names }) {
  const libtorch = { root: locateLibtorch().root, version: torch.libtorchVersion() };
  const running = [];
  const unavailable = [];
  const isWanted = ({ id, usedIn }) => ids.includes(id) && names.some((name) => usedIn.includes(name));
  for (const peer of allPeers.filter(isWanted)) {
    try {
      const program = peer.start(libtorch);
      const own = new PeerProcess(program);
      running.push({ ...peer, program, process: own, about: await own.ask('about') });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      unavailable.push({ id: peer.id, reason: error.message, remedy: error.remedy });
      console.error(`${peer.id} is left out: ${error.message}; to have it: ${error.remedy}`);
    }
  }
  return { running, unavailable };
}

function describeHost({ running }) {
  const versions = Object.fromEntries(running.map(({ id, about }) => [id, about]));
  const [processor] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${processor?.model.trim() || 'unknown processor'}, ${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memory: totalmem(),
    node: process.version,
    libtorch: torch.libtorchVersion(),
    capability: torch.cpuCapability(),
    versions,
  };
}

function titleOf({ machine, cores, libtorch, capability, date }) {
  return `libtorch-losses, time as a ratio to PyTorch's: libtorch ${libtorch}, ${capability}, ${machine}, ${cores} cores, ${date}`;
}

function heading(host) {
  const { pytorch, tfjs } = host.versions;
  const others = [pytorch && `PyTorch ${pytorch.version}`, tfjs && `TensorFlow.js ${tfjs.version} (WASM)`];
  return [
    `${host.machine}, ${host.cores} cores, ${showBytes(host.memory)}`,
    [`Node ${host.node}`, `libtorch ${host.libtorch}`, `${host.capability} kernels`, ...others.filter(Boolean)].join(
      ', ',
    ),
    host.date,
  ].join('\n');
}

/** Prints the current measurement, with the minutes so far. */
function progressSince(start) {
  return (what) => {
    const seconds = Math.round((performance.now() - start) / 1000);
    console.error(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} ${what}`);
  };
}

process.exitCode = await main(process.argv.slice(2));
