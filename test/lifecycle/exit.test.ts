/** A process ends as its program says, whatever tensors, graphs and calls are open: with a status, never by a signal. */
import { runProgram } from '../support/child';

const graph = `
  const x = torch.ones([10], { requiresGrad: true });
  global.loss = x.mul(2).exp().sum();
`;

test.each<[string, string, string]>([
  ['live tensors', 'global.kept = Array.from({ length: 1000 }, () => torch.ones([100]));', ''],
  ['a graph that was never run', graph, ''],
  ['a graph of 100,000 operations', `${graph} for (let i = 0; i < 100_000; i++) loss = loss.mul(1);`, ''],
  ['a shared array', 'global.x = torch.fromTypedArray(new Float32Array(1000));', ''],
  ['process.exit in a scope', 'torch.scope(() => { torch.ones([5]); process.exit(0); });', ''],
  [
    'process.exit in three modes',
    'torch.noGrad(() => torch.inferenceMode(() => torch.noGrad(() => process.exit(0))));',
    '',
  ],
  ['a scope that never ends', 'torch.scope(() => new Promise(() => {}));', ''],
  [
    'tensors used while it exits',
    `${graph} process.on('exit', () => { loss.backward(); console.log(x.grad.shape); });`,
    '[ 10 ]\n',
  ],
  ['collections while it exits', `${graph} process.on('exit', () => { loss = undefined; gc(); });`, ''],
])('with %s it ends well', (_name, program, stdout) => {
  expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout, stderr: '' });
});

test.each<[string, string, string]>([
  ['an error', `${graph} throw new Error('mine');`, 'Error: mine'],
  ['libtorch’s error', 'torch.ones([2]).add(torch.ones([3]));', 'NativeError: The size of tensor a (2)'],
  ['an error in a scope', "torch.scope(() => { torch.ones([2]); throw new Error('mine'); });", 'Error: mine'],
  ['an error in noGrad', "torch.noGrad(() => { throw new Error('mine'); });", 'Error: mine'],
  [
    'an error in a scope that waits',
    "torch.scope(async () => { await null; throw new Error('mine'); });",
    'Error: mine',
  ],
  ['no error object', 'torch.inferenceMode(() => { throw undefined; });', 'undefined\n'],
])('with %s it ends with status 1 and says why', (_name, program, words) => {
  const { status, signal, stdout, stderr } = runProgram(program);
  expect({ status, signal, stdout }).toEqual({ status: 1, signal: null, stdout: '' });
  expect(stderr).toContain(words);
});

test('without a libtorch, importing is not an error, and using it is one', () => {
  const program = `
    process.env.LIBTORCH = '/no/such/folder';
    try { torch.ones([1]); } catch ({ code }) { console.log(code); }
  `;
  expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout: 'LIBTORCH_UNUSABLE\n', stderr: '' });
});
