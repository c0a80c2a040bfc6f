// Calls overloads of torch.ops.aten with hostile arguments, one after the other. Not a test: it finds operators for
// lib/torch/ops/unchecked.ts. This process may end at any call; operators-run.cjs starts it again behind the overload.
//
//   node operators.cjs <seed> <progress file> <rounds> <first overload>
const { openSync, writeSync } = require('node:fs');
const torch = require('../../../dist');
const { native } = require('../../../dist/binding/load.js');
const { workBeside } = require('./folder.cjs');
const { overloads } = require('./overloads.cjs');

const [, , seedText, progressFile, rounds, first] = process.argv;
let state = Number(seedText);
const random = () => {
  state = (state * 1664525 + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const pick = (list) => list[Math.floor(random() * list.length)];

const base = torch.randn([64]);
const tensors = [
  () => torch.randn([3, 4]),
  () => torch.randn([4, 3]).t(),
  () => torch.zeros([1]).expand([3, 4]),
  () => torch.zeros([0]),
  () => torch.tensor([0n, 1n, 2n]),
  () => torch.tensor([[5n, -9n, 100000n]]),
  () => torch.randn([2, 3, 4, 4]),
  () => torch.randn([1, 3, 4, 4, 4]),
  () => torch.tensor(3),
  () => torch.tensor([true, false, true]),
  () => torch.randn([3, 4]).to('float64'),
  () => base.asStrided([3, 4], [1, 1]),
  () => torch.tensor([2n ** 40n]),
  () => torch.ops.aten.complex(torch.randn([3, 4]), torch.randn([3, 4])),
  () => torch.randn([3, 3]),
  () => torch.tensor([1, 2, 3], { dtype: 'int32' }),
  () => torch.randn([3]),
  () => torch.zeros([3, 0]),
];
const integers = [0, 1, -1, 2, 3, 4, 100, -100, 2 ** 31, 2 ** 40, -(2 ** 31)];
const generator = new torch.Generator();

function hostile(type, fixedLength) {
  if (type.endsWith('[]')) {
    const length = fixedLength > 1 && random() < 0.7 ? fixedLength : Math.floor(random() * 4);
    return Array.from({ length }, () => hostile(type.slice(0, -2)));
  }
  if (type.endsWith('?')) return random() < 0.4 ? null : hostile(type.slice(0, -1));
  switch (type) {
    case 'Tensor':
      return pick(tensors)();
    case 'int':
    case 'SymInt':
      return pick(random() < 0.75 ? integers.slice(0, 6) : integers);
    case 'float':
      return pick([0, 0.5, 1, -1, 1e30, NaN]);
    case 'bool':
      return random() < 0.5;
    case 'Scalar':
      return pick([0, 1, -1, 2, 0.5, NaN]);
    case 'str':
      return pick(['mean', 'none', 'ij', 'constant', 'reflect', 'sum', 'x']);
    case 'ScalarType':
      return pick(torch.dtypes);
    case 'Device':
      return 'cpu';
    case 'MemoryFormat':
      return pick(['contiguous_format', 'channels_last', 'preserve_format']);
    case 'Layout':
      return 'strided';
    case 'Generator':
      return generator;
    case 'Storage':
      return torch.storageOf(pick(tensors)());
    default:
      return null;
  }
}

function read(result) {
  if (Array.isArray(result)) result.forEach(read);
  else if (result instanceof torch.Tensor && result.numel() < 1e6) result.toTypedArray();
}

function call(operator, schema) {
  const keywords = {};
  const values = [];
  for (const argument of schema.arguments) {
    const isAbsent = (argument.optional && random() < 0.4) || (argument.hasDefault && random() < 0.5);
    const value = isAbsent ? null : hostile(argument.type, argument.fixedLength);
    if (!argument.kwargOnly) values.push(value);
    else if (value !== null) keywords[argument.name] = value;
  }
  try {
    read(Object.keys(keywords).length > 0 ? operator(...values, keywords) : operator(...values));
  } catch {
    // A refusal is what should come.
  }
}

torch.setNumThreads(1);
const progress = openSync(progressFile, 'w');
workBeside(progressFile);
const all = overloads();
for (let i = Number(first); i < all.length; i++) {
  writeSync(progress, `${i}\n`, 0);
  const [name, index] = all[i];
  const schema = native().operatorSchemas(name)[index];
  const operator = torch.ops.aten[name.slice('aten::'.length)][schema.overload || 'default'];
  for (let round = 0; round < Number(rounds); round++) torch.scope(() => call(operator, schema));
}
