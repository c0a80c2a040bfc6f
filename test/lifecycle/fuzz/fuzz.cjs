// Calls everything with hostile values. A call may succeed or throw; what it throws must be this package's error, a
// TypeError of JavaScript itself, or what a hostile value threw.
//
//   node --expose-gc fuzz.cjs --dist <folder> --seed <n> --last <file> [--calls <n>] [--milliseconds <n>]
//
// It ends after so many calls or so long, whichever comes first. Before each call its description is written to the
// file `last`: after a crash it names the call. The last line printed is JSON:
// { calls, refused, entries, missed, wrong }; `missed` are the native entries that were not called.
const { openSync, writeSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { parseArgs } = require('node:util');
const { choices } = require('./choices.cjs');
const { makersOfCalls } = require('./calls.cjs');
const { workBeside } = require('./folder.cjs');
const { newState } = require('./state.cjs');
const { Hostile, describe, hostileValues } = require('./values.cjs');

const string = { type: 'string' };
const { values: options } = parseArgs({
  options: { dist: string, seed: string, last: string, calls: string, milliseconds: string },
});
options.dist = resolve(options.dist);
const torch = require(join(options.dist, 'index.js'));
const { loadedLibtorch, native } = require(join(options.dist, 'binding', 'load.js'));
const { functional: signatures } = require('../../contract/python-signatures.json');

const random = choices(options.seed);
const state = newState(torch, native(), loadedLibtorch().addon, random);
const values = hostileValues(random, state);
const makers = makersOfCalls({ torch, native: native(), signatures, random, state, values, judge });

/** Renewed before everything is disposed, detached or spoilt. */
const renewal = 200;

const wrong = [];
const described = ({ name, args }) => `${name}(${args.map((arg) => describe(arg, state)).join(', ')})`;

function judge(error, call) {
  if (error instanceof torch.TorchError || error instanceof Hostile) return;
  // A proxy that was revoked answers native code too with a TypeError, and so does a class that is called.
  if (error instanceof TypeError && (!call.isNative || /\bproxy\b|[Cc]onstructor/.test(error.message))) return;
  // A method of a tensor that is called on something else ends in methods of that.
  if (call.self !== undefined && error instanceof RangeError && !state.tensors.includes(call.self)) return;
  if (wrong.length < 20) wrong.push(`${described(call)}: ${String(error?.stack ?? error)}`);
}

process.on('unhandledRejection', (error) => judge(error, { name: 'a promise', args: [] }));
process.on('uncaughtException', (error) => judge(error, { name: 'a callback', args: [] }));
process.on('warning', () => {});

const log = openSync(options.last, 'w');
workBeside(options.last);
const until = Date.now() + Number(options.milliseconds ?? Infinity);
const most = Number(options.calls ?? Infinity);
const counts = new Map();
let [calls, refused] = [0, 0];
torch.setNumThreads(1);

function step() {
  if (calls % renewal === 0) state.renew();
  calls += 1;
  const chosen = random.pick(makers.all)();
  counts.set(chosen.name, (counts.get(chosen.name) ?? 0) + 1);
  writeSync(log, described(chosen).slice(0, 4000).padEnd(4000), 0);
  try {
    const result = chosen.call(...chosen.args);
    if (random.chance(0.2)) state.adopt(result);
  } catch (error) {
    refused += 1;
    judge(error, chosen);
  }
}

const isOver = () => calls >= most || Date.now() >= until;

/** After the callbacks that are due. */
function finish() {
  const missed = makers.entries.filter((name) => !counts.has(name));
  process.stdout.write(`${JSON.stringify({ calls, refused, entries: makers.entries.length, missed, wrong })}\n`);
}

function some() {
  try {
    for (let i = 0; i < 500 && !isOver(); i++) step();
  } catch (error) {
    // Not of a call: the harness itself is wrong, which must not pass for an error of a callback.
    console.error(error);
    process.exit(1);
  }
  if (!isOver()) setImmediate(some);
  else setImmediate(finish);
}
some();
