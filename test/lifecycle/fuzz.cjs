// Calls everything with hostile values, for a while. A call may succeed or throw; what it throws must be this package's
// error, a TypeError of JavaScript itself, or what a hostile value threw.
//
//   node --expose-gc fuzz.cjs <dist> <seed> <milliseconds> <file>
//
// Before each call its description is written to the file: after a crash it names the call. The last line printed is
// JSON: { calls, refused, wrong }.
const { openSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const { choices } = require('./choices.cjs');

const [dist, seedText, milliseconds, file] = process.argv.slice(2);
const torch = require(join(dist, 'index.js'));
const { native } = require(join(dist, 'binding', 'load.js'));
const generated = require(join(dist, 'aten', 'operators.generated.js'));
const { below, pick, chance, listOf } = choices(seedText);

// ---- hostile values

/** What hostile values throw. */
class Hostile extends Error {}
const thrower = () => {
  throw new Hostile('thrown by a value');
};

// No size in between: 2^31 elements could be made, and would take the machine's memory; 2^40 cannot.
const integers = [0, 1, 2, 3, 4, 5, 7, 17, -1, -2, -3, -4, 2 ** 40, 2 ** 53 - 1, -(2 ** 53) + 1];
const numbers = [...integers, -0, 0.5, -1.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300, 5e-324];
const bigints = [0n, 1n, -1n, 3n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 100n];
const dtypes = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];
const strings = [
  ...dtypes,
  ...['', 'x', '\0', '\ud800', 'cpu', 'cpu:1', 'cuda', 'cuda:99', 'mps', 'meta', 'none', 'mean', 'sum', 'batchmean'],
  ...['constructor', '__proto__', 'toString', 'aten::add', 'Tensor', 'x'.repeat(5000)],
];
const kinds = [
  ...[Float64Array, Float32Array, BigInt64Array, BigUint64Array, Int32Array, Uint32Array],
  ...[Int16Array, Uint16Array, Int8Array, Uint8Array, Uint8ClampedArray],
];

const detach = (array) => structuredClone(array.buffer, { transfer: [array.buffer] });

function typedArray() {
  const Kind = pick(kinds);
  const length = pick([0, 1, 2, 3, 4, 6, 12, 17]);
  const bytes = (length + 1) * Kind.BYTES_PER_ELEMENT;
  switch (below(6)) {
    case 0: {
      const array = new Kind(length);
      detach(array);
      return array;
    }
    case 1:
      return new Kind(new SharedArrayBuffer(bytes), Kind.BYTES_PER_ELEMENT, length);
    case 2: {
      const array = new Kind(new ArrayBuffer(bytes, { maxByteLength: 4 * bytes }));
      if (chance(0.3)) array.buffer.resize(0);
      return array;
    }
    case 3:
      return new Kind(new ArrayBuffer(bytes), Kind.BYTES_PER_ELEMENT, length);
    default:
      return new Kind(length);
  }
}

function proxied(target) {
  switch (below(4)) {
    case 0: {
      const { proxy, revoke } = Proxy.revocable(target, {});
      revoke();
      return proxy;
    }
    case 1:
      return new Proxy(target, { get: thrower, has: thrower, ownKeys: thrower, getPrototypeOf: thrower });
    case 2:
      return new Proxy(target, { get: (object, key) => (chance(0.2) ? hostile(0) : Reflect.get(object, key)) });
    default:
      return new Proxy(target, {});
  }
}

/** An array whose elements are found by running a script that pulls the ground away. */
function trapped(elements) {
  const array = [...elements];
  if (array.length === 0) array.push(0);
  const at = below(array.length);
  const value = array[at];
  const get = pick([
    thrower,
    () => {
      disposeAny();
      return value;
    },
    () => {
      detachAny();
      return value;
    },
    () => {
      global.gc();
      return value;
    },
    () => {
      array.length = chance(0.5) ? 0 : 3;
      return value;
    },
    () => pick([value, hostile(0)]),
  ]);
  Object.defineProperty(array, at, { get, configurable: true });
  return array;
}

const objects = [
  () => null,
  () => undefined,
  () => ({}),
  () => Object.create(null),
  () => new Map([['reduction', 'sum']]),
  () => new Date(0),
  () => Promise.resolve(1),
  () => Symbol('s'),
  () => thrower,
  () => () => hostile(0),
  () => async () => hostile(0),
  () => class {},
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  () => Buffer.from('abcd'),
  () => ({ valueOf: thrower, toString: thrower, [Symbol.toPrimitive]: thrower }),
  () => ({ length: 3, 0: 1, 1: 2, 2: 3 }),
  () => ({ data: typedArray(), dims: listOf(() => pick(integers)) }),
  () => ({ data: listOf(() => pick(numbers)), shape: listOf(() => pick(integers)) }),
  () =>
    Object.defineProperty({}, pick(['dim', 'dtype', 'reduction', 'then', 'data']), { get: thrower, enumerable: true }),
  () => Object.assign([], { length: 1e5 }),
  () => Object.create(torch.Tensor.prototype),
];

function hostile(depth = 2) {
  switch (below(10)) {
    case 0:
      return pick(numbers);
    case 1:
      return pick(bigints);
    case 2:
      return pick(strings);
    case 3:
      return chance(0.5);
    case 4:
      return typedArray();
    case 5:
      return depth > 0 ? listOf(() => hostile(depth - 1)) : [];
    case 6:
      return depth > 0 ? trapped(listOf(() => pick([...integers, pick(tensors), pick(handles)]))) : 0;
    case 7:
      return proxied(pick([{}, [], [1, 2], thrower, pick(tensors), { dtype: 'float32' }]));
    case 8:
      return pick([pick(tensors), pick(handles)]);
    default:
      return pick(objects)();
  }
}

// ---- tensors in every state

let tensors = [];
let handles = [];
let shared = [];

function newTensors() {
  const made = dtypes.map((dtype) => torch.tensor([1, 0, 1, 1, 0, 1], { dtype }).reshape(pick([[6], [2, 3], [3, 2]])));
  const leaf = torch.randn([3, 4], { requiresGrad: true });
  const gone = torch.ones([2]);
  gone.dispose();
  shared = [new Float32Array(6).fill(0.5), new BigInt64Array(3), new Float64Array(4)];
  tensors = [
    ...made,
    leaf,
    leaf.mul(2),
    leaf.exp().sum(),
    gone,
    leaf.detach().t(),
    torch.rand([3, 4]),
    torch.rand([3, 4]),
    torch.zeros([0, 3]),
    torch.tensor(0.25),
    torch.tensor([1n, 3n, 0n]),
    torch.tensor([NaN, Infinity, -Infinity]),
    torch.rand([1]).expand([3, 4]),
    torch.zeros([3, 4], { device: 'meta' }),
    torch.inferenceMode(() => torch.rand([3, 4])),
    ...shared.map((array) => torch.fromTypedArray(array)),
    torch.fromTypedArray(shared[0]).reshape([2, 3]).t(),
    torch.fromTypedArray(shared[2], { requiresGrad: true }),
  ];
  const n = native();
  const plain = () => n.fromBytes(new Float32Array(6).fill(0.5), 6, pick([[6], [2, 3], [3, 2]]));
  const graph = plain();
  n.setRequiresGrad(graph, true);
  const disposed = plain();
  n.dispose(disposed);
  handles = [
    plain(),
    plain(),
    graph,
    n.operator('aten::exp', '')(graph),
    disposed,
    n.fromBytes(new BigInt64Array([1n, 0n]), 4, [2]),
    n.fromBytes(new Uint8Array([1, 0]), 11, [2]),
    n.fromBytes(new Float64Array(0), 7, [0, 2]),
    n.share(shared[0], 6, [2, 3]),
    n.share(shared[2], 7, [4]),
  ];
}

function disposeAny() {
  pick(tensors).dispose();
  native().dispose(pick(handles));
}

function detachAny() {
  const array = pick(shared);
  if (array.byteLength > 0) detach(array);
}

// ---- arguments that fit a schema, mostly

const dims = () => pick([0, 1, -1, 2, pick(integers)]);

/** A value for one argument of a schema ("int[1]? dim=None"); `tensor` gives tensors or handles. */
function plausible(argument, tensor) {
  if (chance(0.12)) return hostile();
  const [type] = argument.replace(/\(\w!?\)/g, '').split(' ');
  const optional = type.includes('?') && chance(0.4);
  if (optional || (argument.includes('=') && chance(0.4))) return pick([undefined, null]);
  const base = type.replace('?', '');
  const list = /\[\d*\]$/.test(base);
  const one = () => {
    switch (base.replace(/\[\d*\]$/, '')) {
      case 'Tensor':
        return tensor();
      case 'int':
      case 'SymInt':
        return dims();
      case 'float':
      case 'Scalar':
        return pick([...numbers, ...bigints, true]);
      case 'bool':
        return chance(0.5);
      case 'str':
        return pick(strings);
      case 'ScalarType':
        return tensor === pickHandle ? below(20) - 1 : pick(dtypes);
      case 'Device':
        return pick(['cpu', 'meta', 'cuda', pick(strings)]);
      default:
        return pick(integers);
    }
  };
  if (!list) return one();
  const values = listOf(one);
  return chance(0.15) ? trapped(values) : values;
}

const pickTensor = () => pick(tensors);
const pickHandle = () => pick(handles);
/**
 * libtorch's backward kernels trust what their forward operators have checked, and from_file makes files of any size
 * wherever it is told to; scripts reach neither alone.
 */
const trusting = /_backward|from_file/;
const reachable = Object.entries(generated.schemas).filter(([name]) => !trusting.test(name));
const schemas = reachable.map(([name, schema]) => {
  const inside = schema.slice(schema.indexOf('(') + 1, schema.lastIndexOf(') ->'));
  // Commas inside of brackets part nothing here: no argument of these operators has one.
  return { name, args: inside.split(', ').filter((argument) => argument !== '' && argument !== '*') };
});

// ---- what is called

const operators = new Map();
function nativeOperator() {
  const { name, args } = pick(schemas);
  if (!operators.has(name))
    operators.set(name, native().operator(`aten::${name.split('.')[0]}`, name.split('.')[1] ?? ''));
  const call = operators.get(name);
  return {
    name: `native ${name}`,
    isNative: true,
    call,
    args: args.map((argument) => plausible(argument, pickHandle)),
  };
}

function generatedOperator() {
  const { name, args } = pick(schemas);
  return {
    name,
    call: generated[name.replace('.', '_')],
    args: args.map((argument) => plausible(argument, pickTensor)),
  };
}

// Not called: connect would replace the makers of errors, a thread for every one of 1024 would only cost time.
const skipped = ['connect', 'setNumThreads'];
const exportsOf = (object) =>
  Object.keys(object).filter((name) => typeof object[name] === 'function' && !skipped.includes(name));

function nativeExport() {
  const name = pick(exportsOf(native()));
  const args = listOf(
    () => (chance(0.6) ? pick([pickHandle(), listOf(pickHandle), 6, [6], [2, 3], typedArray()]) : hostile()),
    6,
  );
  return { name: `native.${name}`, isNative: true, call: native()[name], args };
}

const namespaces = {
  torch,
  F: torch.nn.functional,
  nn: torch.nn,
  distributions: torch.distributions,
  cuda: torch.cuda,
};

function publicFunction() {
  const [space, holder] = pick(Object.entries(namespaces));
  const name = pick(exportsOf(holder));
  const target = holder[name];
  const args = listOf(() => (chance(0.5) ? pick([pickTensor(), pickTensor(), dims(), {}]) : hostile()), 4);
  const isClass = /^class/.test(Function.prototype.toString.call(target));
  const call = isClass ? (...values) => new target(...values).forward?.(...args, ...args) : target;
  return { name: `${space}.${name}`, call, args };
}

const members = Object.getOwnPropertyDescriptors(torch.Tensor.prototype);
const memberNames = Reflect.ownKeys(members).filter((name) => name !== 'constructor');

function member() {
  const name = pick(memberNames);
  const { get, set, value } = members[name];
  const self = chance(0.9) ? pickTensor() : hostile();
  const args = listOf(() => (chance(0.6) ? pick([pickTensor(), dims(), [dims(), dims()], {}]) : hostile()), 3);
  const method = get === undefined ? value : chance(0.7) || set === undefined ? get : set;
  return { name: `Tensor#${String(name)}`, call: (...values) => method.apply(self, values), args };
}

// ---- the loop

function describe(value, depth = 2) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (tensors.includes(value)) return `tensors[${tensors.indexOf(value)}]`;
  if (handles.includes(value)) return `handles[${handles.indexOf(value)}]`;
  if (require('node:util').types.isProxy(value)) return 'a proxy';
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (!Array.isArray(value) || depth === 0) return Object.prototype.toString.call(value);
  const parts = Array.from({ length: Math.min(value.length, 8) }, (_, i) => {
    const { get, value: element } = Object.getOwnPropertyDescriptor(value, i) ?? {};
    return get ? 'a getter' : describe(element, depth - 1);
  });
  return `[${parts.join(', ')}]`;
}

const wrong = [];
function judge(error, { name, args, isNative }) {
  if (error instanceof torch.TorchError || error instanceof Hostile) return;
  // A proxy that was revoked answers native code too with a TypeError, and so does a class that is called.
  if (error instanceof TypeError && (!isNative || /\bproxy\b|Class constructor/.test(error.message))) return;
  // Hostile functions return anything, and node itself may throw it on.
  if (wrong.length < 20)
    wrong.push(`${name}(${args.map((arg) => describe(arg)).join(', ')}): ${String(error?.stack ?? error)}`);
}

process.on('unhandledRejection', (error) => judge(error, { name: 'a promise', args: [] }));
process.on('warning', () => {});

const log = openSync(file, 'w');
const until = Date.now() + Number(milliseconds);
let [calls, refused] = [0, 0];
torch.setNumThreads(1);

function step() {
  if (calls % 200 === 0) newTensors();
  calls += 1;
  const chosen = pick([nativeOperator, nativeOperator, generatedOperator, nativeExport, publicFunction, member])();
  writeSync(
    log,
    `${chosen.name}(${chosen.args.map((arg) => describe(arg)).join(', ')})`.slice(0, 4000).padEnd(4000),
    0,
  );
  try {
    chosen.call(...chosen.args);
  } catch (error) {
    refused += 1;
    judge(error, chosen);
  }
}

function some() {
  for (let i = 0; i < 500 && Date.now() < until; i++) step();
  if (Date.now() < until) setImmediate(some);
  else process.stdout.write(`${JSON.stringify({ calls, refused, wrong })}\n`);
}
some();
