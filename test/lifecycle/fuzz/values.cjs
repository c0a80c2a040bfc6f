// Hostile values: what no caller should pass, and what changes while it is looked at.
const { types } = require('node:util');

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
  ...(globalThis.Float16Array ? [globalThis.Float16Array] : []),
];

/** Takes the memory of an array away, if it has any that can be taken. */
function detach(array) {
  const { buffer } = array;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] });
}

/**
 * Hostile values, chosen with `random` (choices.cjs).
 *
 * `state` holds what they are made of beside plain values: `tensors`, `handles`, `foreign` (objects of native code that
 * are not tensors of ours) and `shared` (typed arrays that tensors use).
 */
function hostileValues({ below, pick, chance, listOf }, state) {
  function typedArray() {
    const Kind = pick(kinds);
    const length = pick([0, 1, 2, 3, 4, 6, 12, 17]);
    const bytes = (length + 1) * Kind.BYTES_PER_ELEMENT;
    switch (below(8)) {
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
      case 4: {
        // Of a fixed length, which the buffer may no longer have.
        const array = new Kind(new ArrayBuffer(bytes, { maxByteLength: 4 * bytes }), 0, length);
        array.buffer.resize(pick([0, bytes, Kind.BYTES_PER_ELEMENT, 4 * bytes]));
        return array;
      }
      case 5: {
        const array = new Kind(new SharedArrayBuffer(bytes, { maxByteLength: 4 * bytes }));
        if (chance(0.5)) array.buffer.grow(4 * bytes);
        return array;
      }
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

  /** What pulls the ground away while a value is looked at. */
  const upset = () => pick([thrower, state.disposeAny, state.detachAny, state.resizeAny, global.gc, () => {}])();

  /** An array whose elements are found by running user code. */
  function trapped(elements) {
    const array = [...elements];
    if (array.length === 0) array.push(0);
    const at = below(array.length);
    const value = array[at];
    const get = pick([
      () => {
        upset();
        return value;
      },
      () => {
        upset();
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

  const options = ['dim', 'dtype', 'device', 'reduction', 'weight', 'out', 'requiresGrad', 'then', 'data', 'shape'];
  /** An object with properties of which some are scripts. */
  function trappedObject() {
    const object = {};
    for (const name of listOf(() => pick(options), 3)) {
      const get = pick([
        thrower,
        () => {
          upset();
          return hostile(0);
        },
      ]);
      Object.defineProperty(object, name, { get, enumerable: true, configurable: true });
    }
    return object;
  }

  const objects = [
    () => null,
    () => undefined,
    () => ({}),
    () => Object.create(null),
    () => new Map([['reduction', 'sum']]),
    () => new Set([1]),
    () => new WeakMap(),
    () => new WeakRef({}),
    () => new Date(0),
    () => new Date(NaN),
    () => /x/y,
    () => new Error('a value'),
    () => Promise.resolve(1),
    () => Symbol('s'),
    () => Symbol.iterator,
    () => Object(1),
    () => Object('cpu'),
    () => Object(1n),
    () => Object(true),
    () => Object(Symbol('s')),
    () => globalThis,
    () => Math,
    () => Atomics,
    () => Int8Array,
    () => Int8Array.prototype,
    () => thrower,
    () => () => hostile(0),
    () => async () => hostile(0),
    () =>
      function* () {
        yield hostile(0);
      },
    () => [1, 2][Symbol.iterator](),
    () => class {},
    () => new DataView(new ArrayBuffer(8)),
    () => new ArrayBuffer(8),
    () => new SharedArrayBuffer(8),
    () => new ArrayBuffer(8, { maxByteLength: 16 }),
    () => Buffer.from('abcd'),
    () => ({ valueOf: thrower, toString: thrower, [Symbol.toPrimitive]: thrower }),
    () => ({ [Symbol.iterator]: thrower }),
    () => ({ get [Symbol.toStringTag]() { return thrower(); } }), // biome-ignore format: one line
    () => ({ length: 3, 0: 1, 1: 2, 2: 3 }),
    () => ({ data: typedArray(), dims: listOf(() => pick(integers)) }),
    () => ({ data: typedArray(), shape: listOf(() => pick(integers)) }),
    () => ({ data: listOf(() => pick(numbers)), shape: listOf(() => pick(integers)) }),
    trappedObject,
    trappedObject,
    () => Object.assign([], { length: 1e5 }),
    () => Object.assign([], { length: 2 ** 32 - 1 }),
    () => Object.assign([1, 2, 3], { length: 2 ** 32 - 1 }),
    () => Object.assign([1], { 2: 3 }),
    () => Object.freeze([1, 2]),
    () => Object.create(state.Tensor.prototype),
    () => Object.create(Float32Array.prototype),
    () => Object.create(Array.prototype, { length: { get: thrower } }),
    () => Object.defineProperty(new Float32Array(4), 'length', { get: thrower }),
  ];

  function hostile(depth = 2) {
    switch (below(11)) {
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
        return depth > 0 ? trapped(listOf(() => pick([...integers, pick(state.tensors), pick(state.handles)]))) : 0;
      case 7:
        return proxied(
          pick([{}, [], [1, 2], thrower, typedArray(), pick(state.tensors), pick(state.handles), { dtype: 'float32' }]),
        );
      case 8:
        return pick([pick(state.tensors), pick(state.handles)]);
      case 9:
        return pick(state.foreign);
      default:
        return pick(objects)();
    }
  }

  return { hostile, trapped, trappedObject, typedArray, upset };
}

/** A value in words; no script of the value runs. */
function describe(value, { tensors, handles }, depth = 2) {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (types.isProxy(value)) return 'a proxy';
  if (tensors.includes(value)) return `tensors[${tensors.indexOf(value)}]`;
  if (handles.includes(value)) return `handles[${handles.indexOf(value)}]`;
  if (types.isExternal(value)) return 'an External';
  if (ArrayBuffer.isView(value)) {
    const shared = types.isSharedArrayBuffer(value.buffer) ? 'shared ' : '';
    return `${shared}${types.isTypedArray(value) ? value[Symbol.toStringTag] : 'view'}(${value.byteLength} bytes)`;
  }
  if (!Array.isArray(value)) return 'an object';
  if (depth === 0) return 'an array';
  const parts = Array.from({ length: Math.min(value.length, 8) }, (_, i) => {
    const { get, value: element } = Object.getOwnPropertyDescriptor(value, i) ?? {};
    return get ? 'a getter' : describe(element, { tensors, handles }, depth - 1);
  });
  return `[${parts.join(', ')}${value.length > 8 ? `, … ${value.length}` : ''}]`;
}

module.exports = { Hostile, hostileValues, describe, detach, integers, numbers, bigints, dtypes, strings };
