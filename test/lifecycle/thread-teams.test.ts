/**
 * Losses that run in chunks over libtorch's threads, where OpenMP forms a smaller team of threads than it was asked for:
 * every chunk is computed all the same. Each process compares with the operators of the graph, which are libtorch's own.
 */
import { printedUnder } from '../support/child';

/** `wrong(torch)`: what differs from the graph by more than rounding, as [name, value, expected]. */
const compare = `
  async function wrong(torch) {
    const F = torch.nn.functional;
    const found = [];
    torch.manualSeed(3);
    const [rows, classes] = [1501, 400];
    const x = torch.randn([rows, classes]);
    const y = torch.randint(0, classes, [rows]);
    const soft = torch.softmax(torch.randn([rows, classes]), 1);
    const weight = torch.rand([classes]);
    const bits = torch.rand([rows, classes]).gt(0.5).to('float32');
    const calls = [
      [F.crossEntropy, y, {}], [F.crossEntropy, y, { reduction: 'sum' }], [F.crossEntropy, y, { labelSmoothing: 0.1 }],
      [F.crossEntropy, y, { weight }], [F.crossEntropy, soft, {}], [F.crossEntropy, soft, { weight }],
      [F.mseLoss, soft, {}], [F.smoothL1Loss, soft, {}], [F.huberLoss, soft, { delta: 0.5 }], [F.l1Loss, soft, {}],
      [F.binaryCrossEntropyWithLogits, bits, {}], [F.klDiv, soft, { reduction: 'batchmean' }],
      [F.softMarginLoss, bits.mul(2).sub(1), {}], [F.poissonNllLoss, soft, {}],
    ];
    for (const [loss, target, options] of calls) {
      const leaf = x.clone().requiresGrad_();
      const whole = loss(leaf, target, options);
      whole.backward();
      const both = torch.valueAndGrad(loss)(x, target, options);
      const later = await torch.valueAndGrad(loss).async(x, target, options);
      const own = x.clone();
      torch.valueAndGrad(loss, { gradInto: own })(own, target, options);
      const none = loss(x, target, { ...options, reduction: 'none' });
      const evaluator = new torch.BatchEvaluator(loss, options);
      evaluator.update(x, target);
      const sums = [
        ['plain', loss(x, target, options), whole], ['item', torch.tensor(loss.item(x, target, options)), whole],
        ['async', await loss.async(x, target, options), whole],
        ['value', both.value, whole], ['value later', later.value, whole],
        ['losses', none, loss(leaf, target, { ...options, reduction: 'none' })],
        ['grad', both.grad, leaf.grad], ['grad later', later.grad, leaf.grad], ['grad in place', own, leaf.grad],
        ['evaluator', torch.tensor(evaluator.result().loss), whole],
      ];
      for (const [form, actual, expected] of sums) {
        const [a, b] = [actual.detach(), expected.detach()];
        const off = a.sub(b).abs().sub(b.abs().mul(1e-4)).sub(1e-7).gt(0).sum().item();
        if (off > 0 || a.isnan().any().item()) found.push(loss.name + ' ' + form + ' ' + JSON.stringify(options.reduction ?? null) + ': ' + off);
      }
    }
    return found;
  }
`;

const program = `
  ${compare}
  torch.setNumThreads(4);
  (async () => { console.log(JSON.stringify({ threads: torch.getNumThreads(), wrong: await wrong(torch) })); })();
`;

test.each([
  ['as many as asked for', {}],
  ['one of four', { OMP_THREAD_LIMIT: '1' }],
  ['two of four', { OMP_THREAD_LIMIT: '2' }],
  ['three of four', { OMP_THREAD_LIMIT: '3' }],
  ['as many as the load allows', { OMP_DYNAMIC: 'true' }],
])('a team of %s', (_name, variables) => {
  expect(printedUnder(variables, program)).toEqual({ threads: 4, wrong: [] });
});

test('a number of threads that changes between calls of one program, and while one runs', () => {
  const changing = `
    ${compare}
    (async () => {
      const found = [];
      for (const count of [1, 4, 2, 3]) {
        torch.setNumThreads(count);
        const pending = wrong(torch);
        torch.setNumThreads(5 - count);
        found.push(...await pending);
      }
      console.log(JSON.stringify(found));
    })();
  `;
  expect(printedUnder({ OMP_THREAD_LIMIT: '3' }, changing)).toEqual([]);
});

test('teams of workers and of the main thread at once', () => {
  const several = `
    ${compare}
    torch.setNumThreads(4);
    const { Worker } = require('node:worker_threads');
    const library = Object.keys(require.cache).find((path) => /dist.index\\.js$/.test(path));
    const source = wrong + '; wrong(require(' + JSON.stringify(library) + ')).then((found) => require("node:worker_threads").parentPort.postMessage(found));';
    const inWorker = () => new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true });
      worker.once('message', resolve).once('error', reject);
    });
    Promise.all([inWorker(), inWorker(), wrong(torch)]).then((found) => console.log(JSON.stringify(found)));
  `;
  expect(printedUnder({ OMP_THREAD_LIMIT: '3' }, several)).toEqual([[], [], []]);
});
