// Calls losses in every form and compares each with the graph, which runs libtorch's own operators one by one: the same
// bits, or a refusal by all of them. Copies of the arguments give the same but for rounding, and float64 agrees with the
// reference. gradInto is tried in every place that may overlap an argument: it is refused, or right.
//
//   node differential.cjs --dist <folder> --seed <n> --calls <n> [--threads <n>] [--milliseconds <n>] [--last <file>]
//
// Before each call its description is written to the file `last`, if one is given: after a crash it names the call. The
// last line printed is JSON: { calls, refused, wrong }.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { parseArgs } = require('node:util');
const { choices } = require('./choices.cjs');
const { lossCalls } = require('./losses.cjs');

const string = { type: 'string' };
const { values: given } = parseArgs({
  options: { dist: string, seed: string, calls: string, threads: string, milliseconds: string, last: string },
});
const torch = require(join(given.dist, 'index.js'));
const reference = require(join(given.dist, 'reference', 'index.js'));
const random = choices(given.seed);
const nextCall = lossCalls(torch, random);
process.on('warning', () => {});
torch.manualSeed(Number(given.seed));
torch.setNumThreads(Number(given.threads ?? 1));

/** How far float64 may be from the reference, and a copy in another layout from the original, relative to 1 and value. */
const tolerances = { float64: 1e-9, float32: 1e-4, bfloat16: 0.05, float16: 0.01 };

const wrong = [];
let current = '';
function report(what) {
  if (wrong.length < 20) wrong.push(`${current}: ${what}`);
}

const show = (value) =>
  value instanceof torch.Tensor ? `${value.dtype}[${value.shape}]/[${value.stride()}]` : JSON.stringify(value);

/** What a form gives, or the code of its error. */
async function outcome(form) {
  try {
    return await form();
  } catch (error) {
    if (!(error instanceof torch.TorchError)) throw error;
    return error.code;
  }
}

/** Whether two tensors have the same bits, or two refusals there are. */
const same = (a, b) =>
  typeof a === 'string' ? typeof b === 'string' : a[Symbol.toStringTag] === b[Symbol.toStringTag];

/** How many elements are farther apart than rounding explains. */
function apart(a, b, tolerance) {
  const [x, y] = [a.detach().to('float64'), b.detach().to('float64')];
  const [left, right] = [x.toTypedArray(), y.toTypedArray()];
  let count = 0;
  for (let i = 0; i < left.length; i++) {
    const [p, q] = [left[i], right[i]];
    if (Object.is(p, q) || p === q || (Number.isNaN(p) && Number.isNaN(q))) continue;
    if (!(Math.abs(p - q) <= tolerance * (1 + Math.abs(q)))) count++;
  }
  return count;
}

/** The value and the gradient by the graph. */
function byGraph({ loss, args: [input, ...rest], options }) {
  const leaf = input.detach().requiresGrad_();
  const value = loss(leaf, ...rest, options);
  const isScalar = value.numel() === 1 && value.ndim === 0;
  if (isScalar) value.backward();
  return { value: value.detach(), grad: isScalar ? leaf.grad : undefined };
}

async function forms(call, expected) {
  const { loss, args, options } = call;
  const all = [...args, options];
  const refused = typeof expected === 'string';
  const value = refused ? expected : expected.value;
  const expect = async (name, form, wanted = value) => {
    const actual = await outcome(form);
    if (!same(wanted, actual)) report(`${name} gives ${show(actual)}, the graph ${show(wanted)}, other bits`);
  };
  await expect('the plain call', () => loss(...all));
  await expect('async', () => loss.async(...all));
  if (!refused) await expect('out', () => loss.out(torch.empty(value.shape, { dtype: value.dtype }), ...all));
  if (refused || expected.grad === undefined) return;
  const item = await outcome(() => loss.item(...all));
  if (!Object.is(item, value.item())) report(`item gives ${item}, the graph ${value.item()}`);
  for (const [name, differentiate] of [
    ['valueAndGrad', (...given) => torch.valueAndGrad(loss)(...given)],
    ['valueAndGrad.async', (...given) => torch.valueAndGrad(loss).async(...given)],
  ]) {
    const both = await outcome(() => differentiate(...all));
    if (typeof both === 'string') report(`${name} is refused: ${both}`);
    else if (!same(both.value, value) || !same(both.grad, expected.grad)) report(`${name} gives other bits`);
  }
}

/** The gradient written over memory of arguments: refused as overlapping, or right; and never in the way of the value. */
async function overlaps(call, { value, grad }) {
  const { loss, args, options } = call;
  const [input, ...rest] = args.map((arg) => arg.contiguous());
  const { shape, dtype } = input;
  const numel = input.numel();
  if (numel === 0) return;
  const kind = random.below(6);
  const room = torch.zeros([2 * numel + 3], { dtype });
  const shift = random.below(3);
  const own = room.narrow(0, 1, numel).view(shape);
  own.copy_(input);
  const targets = rest.map((arg) => (arg.dtype === dtype && arg.numel() === numel ? arg.clone() : arg));
  const into = [
    () => own,
    () => room.narrow(0, 1 + shift, numel).view(shape),
    () => torch.empty(shape.toReversed(), { dtype }).permute(shape.map((_, i) => shape.length - 1 - i)),
    () => torch.empty(shape, { dtype }),
    () =>
      targets.find((arg) => arg.dtype === dtype && arg.numel() === numel && arg.ndim === shape.length)?.view(shape) ??
      own,
    () => room.narrow(0, numel + 2, numel).view(shape),
  ][kind]();
  const given = [own, ...targets, options];
  const isAsync = random.chance(0.3);
  const differentiate = torch.valueAndGrad(loss, { gradInto: into });
  const both = await outcome(() => (isAsync ? differentiate.async(...given) : differentiate(...given)));
  if (kind === 1 && shift > 0 && numel > shift) {
    if (typeof both !== 'string') report(`gradInto ${shift} elements into the input was accepted`);
    return;
  }
  if (typeof both === 'string') return report(`gradInto of kind ${kind} is refused: ${both}`);
  const tolerance = tolerances[dtype];
  if (apart(both.value, value, tolerance) > 0 || apart(into, grad, tolerance) > 0) {
    report(`gradInto of kind ${kind}${isAsync ? ', async' : ''} gives another gradient`);
  }
}

function copies(call, { value, grad }) {
  const tolerance = tolerances[call.args[0].dtype];
  const again = byGraph({ ...call, args: call.args.map((arg) => arg.contiguous().clone()) });
  const off = apart(again.value, value, tolerance) + (grad === undefined ? 0 : apart(again.grad, grad, tolerance));
  if (off > 0) report(`copies of the arguments give others: ${off} elements`);
}

function againstReference({ name, args, options }, { value, grad }) {
  const plain = (x) => ({ data: Array.from(x.toTypedArray(), Number), shape: x.shape });
  const own = Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, option instanceof torch.Tensor ? plain(option) : option]),
  );
  const found = reference[name](...args.map(plain), own);
  const compare = (what, array, tensor) => {
    const data = array.data ?? array;
    const asTensor = torch.tensor(Float64Array.from(data), { shape: tensor.shape });
    const off = apart(tensor, asTensor, 1e-9);
    if (off > 0) report(`${what} differs from the reference in ${off} elements`);
  };
  compare('the value', found.value, value);
  if (grad === undefined) return;
  const [first] = Object.values(found.backward());
  if (first !== undefined) compare('the gradient', first, grad);
}

function describe(index, { name, args, options }) {
  const shown = Object.entries(options).map(([key, value]) => `${key}: ${show(value)}`);
  return `call ${index}, ${name}(${args.map(show).join(', ')}, { ${shown.join(', ')} })`;
}

(async () => {
  const until = Date.now() + Number(given.milliseconds ?? Infinity);
  let [calls, refused] = [0, 0];
  for (; calls < Number(given.calls ?? Infinity) && Date.now() < until; calls++) {
    await torch.scope(async () => {
      const call = nextCall();
      current = describe(calls, call);
      if (given.last !== undefined) writeFileSync(given.last, current);
      const expected = await outcome(() => byGraph(call));
      if (typeof expected === 'string') refused++;
      await forms(call, expected);
      if (typeof expected === 'string') return;
      if (expected.grad !== undefined) await overlaps(call, expected);
      copies(call, expected);
      if (call.args[0].dtype === 'float64' && call.args[0].numel() < 2000 && call.args[0].numel() > 0)
        againstReference(call, expected);
    });
  }
  console.log(JSON.stringify({ calls, refused, wrong }));
})();
