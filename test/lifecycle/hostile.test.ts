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
