// The same loss, computed in every form, must have the same bits; on a copy in row-major order and by the reference it
// must be near. Arguments, options, dtypes, layouts, sizes and thread counts are chosen from a seed.
//
//   node differential.cjs --dist <folder> --seed <n> --last <file> [--calls <n>] [--milliseconds <n>]
//
// A call is one comparison. The last line printed is JSON: { calls, refused, wrong }; each text of `wrong` begins with
// the case that differs.
const { openSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const { parseArgs } = require('node:util');
const { choices } = require('./choices.cjs');
const { specsOf } = require('./differential-losses.cjs');
const { formsOf } = require('./differential-forms.cjs');

const string = { type: 'string' };
const { values: options } = parseArgs({
  options: { dist: string, seed: string, last: string, calls: string, milliseconds: string },
});
const torch = require(join(options.dist, 'index.js'));
const reference = require(join(options.dist, 'reference', 'index.js'));
const { bitsOf, difference, tolerances } = require(join(options.dist, 'parity', 'bits.js'));
const { disagreement } = require(join(options.dist, 'parity', 'tolerance.js'));
const { itemsizes } = require(join(options.dist, 'types.js'));

const random = choices(options.seed);
const { below, pick, chance } = random;
const { specs, begin, isLarge } = specsOf(random);
const names = Object.keys(specs);
const until = Date.now() + Number(options.milliseconds ?? Infinity);
const most = Number(options.calls ?? Infinity);
const log = openSync(options.last, 'w');
const counts = { calls: 0, refused: 0 };
const wrong = [];
process.on('warning', () => {});

/** Warnings of shapes that broadcast, and of reductions of nothing, are none of ours. */
process.removeAllListeners('warning');

const specials = [NaN, Infinity, -Infinity, 0, -0, 1e30, -1e30, 1e-42];

/** The tensor of a description; `hasSpecials` puts one of the numbers in it that formulas have edges at. */
function made({ shape, from, dtype }, real, hasSpecials) {
  const numel = shape.reduce((a, b) => a * b, 1);
  if (dtype === 'int64')
    return torch.tensor(
      BigInt64Array.from({ length: numel }, () => BigInt(from())),
      { shape },
    );
  const data = Float64Array.from({ length: numel }, from);
  if (hasSpecials && numel > 0) data[below(numel)] = pick(specials);
  return torch.tensor(data, { shape }).to(real);
}

/** Layouts: how the elements of a tensor may lie in memory. An expanded one holds its first row everywhere. */
const layouts = {
  contiguous: (x) => x,
  offset: (x) =>
    torch
      .cat([torch.zeros([1], { dtype: x.dtype }), x.reshape([-1])])
      .narrow(0, 1, x.numel)
      .view(x.shape),
  sliced: (x) => torch.stack([x, x], -1).select(-1, 0),
  transposed: (x) => (x.ndim < 2 ? layouts.sliced(x) : x.transpose(0, -1).contiguous().transpose(0, -1)),
  expanded: (x) => (x.ndim === 0 || x.shape[0] === 0 ? x : x.narrow(0, 0, 1).expand(x.shape)),
};

/** Tensors of the case, by what makes one of a description. */
const mapped = (value, make) => (typeof value === 'object' && value !== null && 'shape' in value ? make(value) : value);
const mapOptions = (given, make) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, mapped(value, make)]));

function newCase() {
  const name = pick(names);
  const dtype =
    name === 'ctcLoss' ? pick(['float32', 'float64']) : pick(['float32', 'float32', 'float64', 'float16', 'bfloat16']);
  begin(itemsizes[dtype]);
  const spec = specs[name]();
  const reduction = pick(['mean', 'mean', 'sum', 'none', ...(name === 'klDiv' ? ['batchmean'] : [])]);
  const hasSpecials = chance(0.15);
  const laidOut = [];
  const make = (description) => {
    const layout = chance(0.5) ? 'contiguous' : pick(Object.keys(layouts));
    laidOut.push(layout);
    return layouts[layout](made(description, dtype, hasSpecials));
  };
  const args = spec.args.map(make);
  const call = { args, options: { ...mapOptions(spec.options, make), reduction } };
  const threads = pick([1, 2, 4]);
  const shown = Object.entries(call.options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value instanceof torch.Tensor ? `[${value.shape}]` : value}`);
  const text = `${name} ${dtype} ${args.map(({ shape }) => `[${shape}]`).join(' ')} {${shown.join(', ')}}, ${laidOut.join(' ')}, ${threads} threads${hasSpecials ? ', specials' : ''}`;
  return { name, dtype, call, threads, text, large: isLarge(), hasSpecials };
}

const { forms, throughGraph } = formsOf({ torch, bitsOf, difference });

/** The first argument's gradient and the value, by the graph, without one, and as near as the dtype allows. */
function nearby({ name, dtype, call, large }, value, grad) {
  const found = [];
  const clone = (x) => (x instanceof torch.Tensor ? x.clone().contiguous() : x);
  const other = { args: call.args.map(clone), options: mapOptions(call.options, clone) };
  const copied = throughGraph(torch.nn.functional[name], [...other.args, other.options]);
  const tolerance = tolerances[dtype];
  const isHalf = itemsizes[dtype] === 2;
  const wide = { relative: (large || isHalf ? 8 : 2) * tolerance.relative, absolute: 8 * tolerance.absolute };
  const compare = (label, a, b) =>
    found.push(difference(label, bitsOf(a), bitsOf(b), wide, 'in row-major order it is'));
  // Sums of many terms that cancel keep the rounding errors of the terms, in 16 bits above all.
  if (!isHalf || call.options.reduction === 'none') compare('copied, value', value, copied.value);
  if (!isHalf) compare('copied, gradient', grad, copied.grad);
  if (!isHalf && (!large || chance(0.1))) found.push(...byReference(name, other, value, grad));
  return found;
}

function byReference(name, { args, options: given }, value, grad) {
  const array = (x) =>
    x instanceof torch.Tensor
      ? { data: x.to(x.dtype === 'int64' ? 'int64' : 'float64').toTypedArray(), shape: x.shape }
      : x;
  const result = reference[name](
    ...args.map(array),
    Object.fromEntries(Object.entries(given).map(([key, x]) => [key, array(x)])),
  );
  const terms = value.numel === 1 ? args[0].numel : 1;
  const growth = 20;
  const ones = { data: new Float64Array(value.numel).fill(1), shape: value.shape };
  const first = Object.values(value.ndim === 0 ? result.backward() : result.backward(ones))[0];
  return [
    disagreement('reference, value', value, result.value, { growth, terms }),
    disagreement('reference, gradient', grad, first, { growth }),
  ];
}

async function compareCase() {
  const chosen = newCase();
  counts.calls += 1;
  writeSync(log, `call ${counts.calls}: ${chosen.text}`.padEnd(1000), 0);
  torch.setNumThreads(chosen.threads);
  const { found, refusal, value, grad } = await forms(chosen);
  if (refusal !== undefined) counts.refused += 1;
  // Overflows on the way to a result are the formula's: forms have the same ones, the reference in float64 has not.
  else if (!chosen.hasSpecials) found.push(...nearby(chosen, value, grad));
  for (const text of found) {
    if (text !== undefined && wrong.length < 20) wrong.push(`call ${counts.calls}: ${chosen.text}\n  ${text}`);
  }
}

async function run() {
  while (counts.calls < most && Date.now() < until) await torch.scope(compareCase);
  process.stdout.write(`${JSON.stringify({ ...counts, wrong })}\n`);
}

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
