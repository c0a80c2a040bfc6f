/** Worker threads: all at once, ended at any moment, over and over. */
import { dist, printedBy, runProgram } from '../support/child';

/** What a worker does: one step of training, of inference, in a scope, or of errors, again and again. */
const work = `
  const torch = require(${JSON.stringify(dist)});
  const { workerData, parentPort } = require('node:worker_threads');
  const F = torch.nn.functional;
  function train() {
    const x = torch.randn([64, 100], { requiresGrad: true });
    const loss = F.crossEntropy(x, torch.randint(0, 100, [64]));
    loss.backward();
    // Its gradient is computed by a script, in the middle of libtorch's own pass.
    F.linearCrossEntropy(x, torch.randn([20, 100]), torch.randint(0, 20, [64])).backward();
    return loss.item() > 0 && x.grad.shape[0] === 64;
  }
  const steps = [
    train,
    () => torch.noGrad(() => torch.inferenceMode(() => torch.randn([50, 50]).matmul(torch.randn([50, 50])).sum().item())),
    () => torch.scope(() => torch.noGrad(() => torch.randn([64, 100]).softmax(1).sum().item())),
    () => { try { torch.noGrad(() => torch.ones([2]).add(torch.ones([3]))); } catch {} torch.fromTypedArray(new Float32Array(100)).mul(2); },
  ];
`;

test('the main thread and four workers use the library at once, each with its own modes and figures', () => {
  const results = printedBy<{ trained: boolean; enabled: boolean; tensors: number }[]>(`
    const { Worker } = require('node:worker_threads');
    const code = ${JSON.stringify(`${work}
      let trained = true;
      torch.noGrad(() => { for (let i = 0; i < 30; i++) steps[1 + (i % 3)](); });
      for (let i = 0; i < 30; i++) trained &&= train();
      parentPort.postMessage({ trained, enabled: torch.isGradEnabled(), tensors: torch.memory().tensors });
    `)};
    const results = [];
    torch.noGrad(() => {
      for (let i = 0; i < 4; i++) {
        new Worker(code, { eval: true, workerData: i }).on('message', (result) => {
          results.push(result);
          if (results.length === 4) console.log(JSON.stringify(results));
        });
      }
      for (let i = 0; i < 200; i++) torch.randn([64, 100]).softmax(1);
    });
  `);
  expect(results).toHaveLength(4);
  for (const { trained, enabled, tensors } of results) {
    expect([trained, enabled]).toEqual([true, true]);
    // What the other threads hold is not counted here.
    expect(tensors).toBeGreaterThan(0);
  }
});

test('workers that are terminated in the middle of a call, for 20 rounds', () => {
  const program = `
    const { Worker } = require('node:worker_threads');
    const code = ${JSON.stringify(`${work}
      parentPort.postMessage('ready');
      for (;;) steps[workerData]();
    `)};
    const once = (worker, event) => new Promise((resolve) => worker.once(event, resolve));
    (async () => {
      let state = 7;
      for (let round = 0; round < 20; round++) {
        const workers = [0, 1, 2, 3].map((workerData) => new Worker(code, { eval: true, workerData }));
        for (const worker of workers) worker.on('error', (error) => { console.log(error); process.exitCode = 1; });
        await Promise.all(workers.map((worker) => once(worker, 'message')));
        state = (state * 1103515245 + 12345) % 2147483648;
        for (let i = 0; i < state % 10; i++) torch.randn([64, 64]).matmul(torch.randn([64, 64]));
        await new Promise((resolve) => setTimeout(resolve, state % 7));
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      torch.ones([2], { requiresGrad: true }).sum().backward();
      console.log('done');
    })();
  `;
  expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout: 'done\n', stderr: '' });
});

test.each<[string, string, number]>([
  ['that ends with live tensors', 'global.kept = [torch.ones([1000]), torch.fromTypedArray(new Float32Array(9))];', 0],
  [
    'that exits in a scope in a mode',
    'torch.scope(() => torch.noGrad(() => { torch.ones([5]); process.exit(3); }));',
    3,
  ],
  ['that throws in a mode', "torch.noGrad(() => { throw new Error('mine'); });", 1],
  [
    'that recurses until its small stack is full, with work at every depth',
    `
    torch.setNumThreads(1);
    const x = torch.randn([32, 100], { requiresGrad: true });
    const y = torch.randint(0, 100, [32]);
    function deeper() { torch.noGrad(() => F.crossEntropy(x, y)); F.crossEntropy(x, y).backward(); deeper(); }
    try { deeper(); } catch (error) { if (error.name !== 'RangeError' || !torch.isGradEnabled()) throw error; }
  `,
    0,
  ],
])('a worker %s ends alone', (_name, body, code) => {
  const program = `
    const { Worker } = require('node:worker_threads');
    torch.ones([1]);
    const code = ${JSON.stringify(`${work}${body}`)};
    new Worker(code, { eval: true, resourceLimits: { stackSizeMb: 1 } })
      .on('error', () => {})
      .on('exit', (code) => console.log(code, torch.ones([2]).sum().item()));
  `;
  expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout: `${code} 2\n`, stderr: '' });
});

test('tensors do not travel between threads, their elements do', () => {
  const { refused, sum } = printedBy<{ refused: boolean; sum: number }>(`
    const { Worker } = require('node:worker_threads');
    const code = "const { parentPort } = require('node:worker_threads'); parentPort.once('message', ({ array }) => parentPort.postMessage(array.reduce((a, b) => a + b)));";
    const worker = new Worker(code, { eval: true });
    const x = torch.ones([3]);
    let refused = false;
    try { torch.ones([1]).add(structuredClone(x)); } catch { refused = true; }
    worker.once('message', (sum) => console.log(JSON.stringify({ refused, sum })));
    const array = x.toTypedArray();
    worker.postMessage({ array }, [array.buffer]);
  `);
  expect([refused, sum]).toEqual([true, 3]);
});
