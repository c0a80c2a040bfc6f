/** What the fuzzer found, or would only find by luck: each would end the process, hang it, or read freed memory. */
import { printedBy } from '../support/child';

/** The addon, and handles for it. */
const addon = `
  const n = require(torchFolder + '/binding/load.js').native();
  const handle = (size) => n.fromBytes(new Float32Array(size).fill(1), 6, [size]);
  const refusal = (fn) => { try { fn(); } catch ({ code, message }) { return [code, message]; } };
`;

function printed<T>(program: string): T {
  return printedBy<T>(
    `const torchFolder = require('node:path').dirname(require.resolve(${folder})); ${addon} ${program}`,
  );
}

const folder = JSON.stringify(require.resolve('../../dist/index.js'));

test('arrays that say they are longer than memory are refused', () => {
  const refused = printed(`
    const endless = Object.assign([], { length: 2 ** 32 - 1 });
    console.log(JSON.stringify([
      refusal(() => n.grad([], [], endless)),
      refusal(() => n.trace(endless, () => [])),
      refusal(() => n.startTransfer(endless, 'cpu')),
      refusal(() => torch.ones([2]).sum(0, { dtype: endless })),
      refusal(() => F.multiMarginLoss([[1, 2]], [0], { p: endless })),
    ]));
  `);
  const what = 'to be an array, at most 16777216 elements long, but received an array of length 4294967295';
  expect(refused).toEqual([
    ['INVALID_ARGUMENT', `libtorch: expected 'gradOutputs' ${what}`],
    ['INVALID_ARGUMENT', `libtorch: expected 'inputs' ${what}`],
    ['INVALID_ARGUMENT', `libtorch: expected 'tensors' ${what.replace('an array', 'an array of Tensors')}`],
    ['INVALID_ARGUMENT', expect.stringContaining('but received an array of length 4294967295')],
    [
      'INVALID_ARGUMENT',
      "multiMarginLoss: expected option 'p' to be 1 or 2, but received an array of length 4294967295",
    ],
  ]);
});

test('chunks are of something that is cut', () => {
  const [code, message] = printed<string[]>(`
    const program = n.trace([handle(4)], (inputs) => inputs);
    console.log(JSON.stringify(refusal(() => n.runInChunks(program, 2 ** 53 - 1, 1, 1, [false], [handle(4)]))));
  `);
  expect([code, message]).toEqual([
    'INVALID_ARGUMENT',
    "libtorch: expected 'cut' to be true for at least one input, but received none that is",
  ]);
});

test('a program that gives fewer tensors for a shorter chunk fails', () => {
  const [code] = printed<string[]>(`
    const split = n.operator('aten::unbind', 'int');
    const program = n.trace([handle(4)], ([input]) => split(input, 0));
    console.log(JSON.stringify(refusal(() => n.runInChunks(program, 8, 3, 1, [true], [handle(8)]))));
  `);
  expect(code).toBe('RUNTIME');
});

test('user code in a backward pass that takes memory away ends the pass', () => {
  const [code] = printed<string[]>(`
    const array = new Float32Array(1000).fill(2);
    const leaf = handle(1000);
    n.setRequiresGrad(leaf, true);
    const product = n.operator('aten::mul', 'Tensor')(leaf, n.share(array, 6, [1000]));
    const later = n.customFunction(handle(1000), [product], [], 'graph', (gradient) => {
      structuredClone(array.buffer, { transfer: [array.buffer] });
      return [gradient];
    });
    const sum = n.operator('aten::sum', '')(later);
    console.log(JSON.stringify(refusal(() => n.backward([sum]))));
  `);
  expect(code).toBe('DETACHED');
});

/** Memory of typed arrays that is taken away; none of these calls names the tensor that uses it. */
const shared = `
  const { operator } = n;
  const mul = operator('aten::mul', 'Tensor');
  const take = (array) => structuredClone(array.buffer, { transfer: [array.buffer] });
  const array = new Float32Array(4).fill(2);
  const tensor = n.share(array, 6, [4]);
`;

test.each([
  ['run', '() => n.run(program, 0, handle(4))'],
  ['run in chunks', '() => n.runInChunks(program, 4, 1, 1, [true], [handle(4)])'],
])('a program does not %s with a tensor that has lost its memory since it was traced', (_name, call) => {
  const [before, after] = printed<[unknown, string[]]>(`${shared}
    const one = n.share(array.subarray(0, 1), 6, [1]);
    const program = n.trace([handle(4)], ([input]) => [mul(input, one)]);
    const call = ${call};
    const before = refusal(call) ?? 'fine';
    take(array);
    console.log(JSON.stringify([before, refusal(call)]));
  `);
  expect([before, after[0]]).toEqual(['fine', 'DETACHED']);
});

test('what runs off the main thread has copies of shared memory, also in its chunks', () => {
  const results = printed<number[][]>(`${shared}
    const add = operator('aten::add_', 'Tensor');
    const result = handle(4);
    n.start(
      () => {
        const program = n.trace([handle(4)], ([chunk]) => (add(chunk, n.share(array.subarray(0, 1), 6, [1])), []));
        n.runInChunks(program, 4, 1, 1, [true], [result]);
        return [mul(result, tensor)];
      },
      (failure) => {
        const elements = new Float32Array(4);
        n.copyTo(result, elements);
        console.log(JSON.stringify([failure ?? [], [...elements]]));
      },
    );
    new Float32Array(take(array)).fill(9);
  `);
  expect(results).toEqual([[], [3, 3, 3, 3]]);
});

test('a program that was traced before does not run off the main thread on shared memory', () => {
  const [code, message] = printed<string[]>(`${shared}
    const program = n.trace([handle(4)], ([chunk]) => [mul(chunk, n.share(array.subarray(0, 1), 6, [1]))]);
    const chunks = () => (n.runInChunks(program, 4, 1, 1, [true], [handle(4)]), []);
    console.log(JSON.stringify(refusal(() => n.start(chunks, () => {}))));
  `);
  expect([code, message]).toEqual([
    'INVALID_ARGUMENT',
    "libtorch: expected 'program' to be one that was traced here, to run off the main thread, but received one of a " +
      "tensor that shares a typed array's memory",
  ]);
});

test.each([
  ['add_', "operator('aten::add_', 'Tensor')(tensor, tensor)"],
  ['_foreach_add_', "operator('aten::_foreach_add_', 'Scalar')([tensor], 1)"],
  ['neg, out', "operator('aten::neg', 'out')(tensor, tensor)"],
])('a program does not change what was there before: %s', (_name, call) => {
  const [code, message] = printed<string[]>(`${shared}
    console.log(JSON.stringify(refusal(() => n.trace([], () => (${call}, [])))));
  `);
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('given to what is traced or made by it, to be changed, but received a tensor that was');
});

test.each([
  ['transpose_', "operator('aten::transpose_', '')(own, 0, 1)"],
  ['set_data', "operator('aten::set_data', '')(own, handle(4))"],
])('what runs off the main thread does not change the shape of what is there: %s', (_name, call) => {
  const [code, message] = printed<string[]>(`${shared}
    const own = n.fromBytes(new Float32Array(6), 6, [2, 3]);
    console.log(JSON.stringify(refusal(() => n.start(() => (${call}, []), () => {}))));
  `);
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('changed in its elements only, off the main thread');
});

test('parts of sparse tensors that have lost their memory are not read', () => {
  const codes = printed<string[]>(`${shared}
    process.emitWarning = () => {}; // That they are in beta.
    const { aten } = torch.ops;
    const made = (values) => [
      aten.sparse_coo_tensor.indices(torch.tensor([[0n, 1n, 2n, 3n]]), values),
      aten.sparse_csr_tensor.crow_col_value_size(torch.tensor([0n, 4n]), torch.tensor([0n, 1n, 2n, 3n]), values, [1, 4]),
    ];
    const sparse = made(torch.fromTypedArray(array));
    take(array);
    console.log(JSON.stringify(sparse.map((each) => refusal(() => each.toDense())?.[0])));
  `);
  expect(codes).toEqual(['DETACHED', 'DETACHED']);
});

test.each([
  ['a gradient that was set while no graphs were recorded', 'n.withGradMode(false, () => n.setGradient(leaf, tensor))'],
  ['data that was set while no graphs were recorded', 'n.withGradMode(false, () => setData(saved, tensor))'],
])('a backward pass does not use %s and has lost its memory', (_name, set) => {
  const code = printed<string>(`${shared}
    const setData = operator('aten::set_data', '');
    const [leaf, saved] = [handle(4), handle(4)];
    n.setRequiresGrad(leaf, true);
    const sum = operator('aten::sum', '')(mul(leaf, saved));
    ${set};
    take(array);
    console.log(JSON.stringify(refusal(() => n.backward([sum]))?.[0]));
  `);
  expect(code).toBe('DETACHED');
});

test('a getter that takes memory away ends the backward pass that reads it, and one that computes a gradient', () => {
  const codes = printed<string[]>(`${shared}
    const trap = (first) => Object.defineProperty([first, undefined], 1, { get: () => void take(array) });
    const leaf = () => (n.setRequiresGrad(made = handle(4), true), made);
    let made;
    const [x, y] = [leaf(), leaf()];
    const product = mul(x, y);
    const first = refusal(() =>
      n.withGradMode(false, () => n.grad([product, operator('aten::sum', '')(y)], [x], trap(tensor), false, false, true)),
    );
    const again = new Float32Array(4).fill(2);
    const other = n.share(again, 6, [4]);
    const gradients = Object.defineProperty([other, undefined], 1, { get: () => void take(again) });
    const result = n.customFunction(handle(4), [x, y], [], 'graph', () => gradients);
    const second = refusal(() => n.withGradMode(false, () => n.backward([result], [handle(4)])));
    console.log(JSON.stringify([first?.[0], second?.[0]]));
  `);
  expect(codes).toEqual(['DETACHED', 'DETACHED']);
});

test('a gradient that user code gave is not used when a later part of the pass takes its memory away', () => {
  const code = printed<string>(`${shared}
    const x = handle(4);
    n.setRequiresGrad(x, true);
    const early = n.customFunction(handle(4), [x], [], 'graph', () => (take(array), [handle(4)]));
    const late = n.customFunction(handle(4), [x], [], 'graph', () => [tensor]);
    const sum = operator('aten::add', 'Tensor')(early, late);
    console.log(JSON.stringify(refusal(() => n.withGradMode(false, () => n.backward([sum], [handle(4)])))?.[0]));
  `);
  expect(code).toBe('DETACHED');
});

test('a result is not read before it is there', () => {
  const { early, late } = printed<{ early: string[]; late: number }>(`
    let result;
    const matmul = n.operator('aten::mm', '');
    const large = n.fromBytes(new Float32Array(1e6), 6, [1000, 1000]);
    n.start(
      () => [(result = matmul(large, large))],
      () => {
        n.resolvePending(result);
        console.log(JSON.stringify({ early, late: n.numel(result) }));
      },
    );
    const early = refusal(() => n.resolvePending(result));
  `);
  expect([early[0], late]).toEqual(['PENDING', 1e6]);
});

test('elements are copied into the memory that they stand in', () => {
  const elements = printed<number[]>(`
    const array = new Float32Array([1, 2, 3]);
    n.copyTo(n.share(array, 6, [3]), array);
    console.log(JSON.stringify([...array]));
  `);
  expect(elements).toEqual([1, 2, 3]);
});

test('a warning that makes its receiver throw fails the call that warned, off the main thread too', () => {
  const messages = printed<string[]>(`
    process.emitWarning = () => { throw new Error('no warnings here'); };
    const variance = (input) => input.var().sum();
    const messages = [];
    const note = ({ message }) => messages.push(message);
    (async () => {
      await torch.valueAndGrad(variance).async(torch.ones([1])).catch(note);
      try { torch.ones([1]).std(); } catch (error) { note(error); }
      console.log(JSON.stringify(messages));
    })();
  `);
  expect(messages).toEqual(['no warnings here', 'no warnings here']);
});

test('an array whose length is not a number is refused, and not printed', () => {
  const message = printed<string>(`
    const array = new Proxy([1, 2], { get: (target, key) => (key === 'length' ? new Array(2 ** 31) : target[key]) });
    try { torch.tensor(array); } catch (error) { console.log(JSON.stringify(error.message)); }
  `);
  expect(message).toBe("tensor: expected 'data' to be an array, but received one without a length");
});
