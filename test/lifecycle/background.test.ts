/** Calls off the main thread and the life of a process and its workers: waiting, ends of every kind, memory. */
import { dist, printedBy, runProgram } from '../support/child';

/** `slow(n)`: a call that runs off the main thread for about n tenths of a second, whatever the machine. */
const slow = `
  const rows = 2000;
  const [x, y] = [torch.randn([rows, 400]), torch.randint(0, 400, [rows])];
  const repeated = (times) => (input) => {
    let sum = F.crossEntropy(input, y, { labelSmoothing: 0.1 });
    for (let i = 1; i < times; i++) sum = sum.add(F.crossEntropy(input, y, { labelSmoothing: 0.1 }));
    return sum;
  };
  const start = performance.now();
  for (let i = 0; i < 5; i++) torch.valueAndGrad(repeated(1))(x);
  const once = (performance.now() - start) / 5;
  const slow = (tenths) => torch.valueAndGrad(repeated(Math.max(1, Math.ceil((100 * tenths) / once)))).async(x);
`;

describe('a process', () => {
  test('waits for a call that nobody awaits, and no longer', () => {
    const { stdout, ...end } = runProgram(`${slow}
      process.on('exit', () => console.log('exit'));
      slow(3).then(({ value }) => console.log('settled', value.item() > 0));
    `);
    expect({ stdout, ...end }).toEqual({ status: 0, signal: null, stdout: 'settled true\nexit\n', stderr: '' });
  });

  test('that has made calls before is not kept alive by them', () => {
    // One that was would be ended when its time is up.
    const last = printedBy<number>(`
      const done = async () => {
        for (let i = 0; i < 20; i++) await F.mseLoss.async([1], [i]).catch(() => {});
        await F.mseLoss.async('no').catch(() => {});
        console.log((await F.mseLoss.async([1], [3])).item());
      };
      done();
    `);
    expect(last).toBe(4);
  });

  test.each<[string, string, number, string]>([
    ['process.exit', 'setTimeout(() => process.exit(7), 20)', 7, ''],
    ['process.exit at once', 'process.exit(7)', 7, ''],
    ['an error that nobody catches', "setTimeout(() => { throw new Error('mine'); }, 20)", 1, 'Error: mine'],
    ['a rejection that nobody handles', 'F.crossEntropy.async([[1, 2]], [5])', 1, 'NativeError: crossEntropy'],
    [
      'process.exit while tensors of the call are collected',
      "setTimeout(() => { process.on('exit', () => { gc(); }); gc(); process.exit(7); }, 20)",
      7,
      '',
    ],
    [
      'process.exit in the middle of one operator',
      'torch.valueAndGrad((input) => input.matmul(input).sum()).async(torch.ones([2000, 2000])); setTimeout(() => process.exit(7), 20)',
      7,
      '',
    ],
    ['an exit in the callback of a call', 'F.mseLoss.async([1], [2]).then(() => process.exit(7))', 7, ''],
  ])('ends in the middle of a call by %s', (_name, ending, status, words) => {
    const { stderr, ...end } = runProgram(`${slow}
      F.mseLoss.async([1], [2]);
      for (let i = 0; i < 3; i++) slow(3).then(() => {}, () => {});
      ${ending};
    `);
    expect(end).toEqual({ status, signal: null, stdout: '' });
    if (words === '') expect(stderr).toBe('');
    else expect(stderr).toContain(words);
  });

  test('its event loop runs on while a call does', () => {
    const turns = printedBy<number>(`${slow}
      let [turns, isOver] = [0, false];
      const turn = () => {
        turns += 1;
        if (!isOver) setImmediate(turn);
      };
      const promise = slow(15);
      setImmediate(turn);
      promise.then(() => {
        isOver = true;
        console.log(turns);
      });
    `);
    // Blocked, it would turn once at the most before the call is done.
    expect(turns).toBeGreaterThan(100);
  });

  test('memory returns to what it was after 2,000 calls, some of which fail', () => {
    const { before, after, grown } = printedBy<{ before: number[]; after: number[]; grown: number }>(`
      const labels = [torch.randint(0, 50, [200]), torch.full([200], 60, { dtype: 'int64' })];
      async function work(i) {
        const x = torch.randn([200, 50], { requiresGrad: i % 3 === 0 });
        const results = await Promise.allSettled([
          F.crossEntropy.async(x, labels[i % 2]),
          torch.valueAndGrad(F.crossEntropy).async(x, labels[i % 2]),
          F.mseLoss.async(torch.randn([100]), new Float32Array(100)),
          torch.valueAndGrad((input) => { if (i % 5 === 0) throw new Error(); return input.mul(2).exp().sum(); }).async(x),
        ]);
        const [first] = results;
        if (first.status === 'fulfilled' && first.value.requiresGrad) first.value.backward();
      }
      const figures = () => {
        gc();
        const { tensors, bytes } = torch.memory();
        return [tensors, bytes];
      };
      (async () => {
        for (let i = 0; i < 50; i++) await work(i);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const before = figures();
        const rss = process.memoryUsage.rss();
        for (let i = 0; i < 500; i++) await work(i);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const after = figures();
        console.log(JSON.stringify({ before, after, grown: (process.memoryUsage.rss() - rss) / 2 ** 20 }));
      })();
    `);
    expect(after).toEqual(before);
    expect(grown).toBeLessThan(100);
  });
});

describe('workers', () => {
  const inWorker = (body: string): string =>
    JSON.stringify(`
      const torch = require(${JSON.stringify(dist)});
      const F = torch.nn.functional;
      const { workerData, parentPort } = require('node:worker_threads');
      ${slow}
      ${body}
    `);

  test('and the main thread queue calls at once, and each gets its own results', () => {
    const { wrong, done } = printedBy<{ wrong: number; done: number }>(`
      const { Worker } = require('node:worker_threads');
      const code = ${inWorker(`
        (async () => {
          let wrong = 0;
          for (let i = 0; i < 30; i++) {
            const inputs = [1, 2, 3].map((k) => torch.full([50], workerData * 100 + i * k));
            const losses = await Promise.all(inputs.map((input) => F.mseLoss.async(input, torch.zeros([50]))));
            losses.forEach((loss, k) => {
              if (loss.item() !== F.mseLoss(inputs[k], torch.zeros([50])).item()) wrong += 1;
            });
          }
          parentPort.postMessage(wrong);
        })();
      `)};
      let [wrong, done] = [0, 0];
      const finished = (count) => {
        wrong += count;
        done += 1;
        if (done === 4) console.log(JSON.stringify({ wrong, done }));
      };
      for (let i = 0; i < 3; i++) new Worker(code, { eval: true, workerData: i }).once('message', finished);
      (async () => {
        for (let i = 0; i < 50; i++) {
          const loss = await F.crossEntropy.async([[i, 0]], [1]);
          if (loss.item() !== F.crossEntropy([[i, 0]], [1]).item()) wrong += 1;
        }
        finished(0);
      })();
    `);
    expect({ wrong, done }).toEqual({ wrong: 0, done: 4 });
  });

  test.each<[string, string, string]>([
    ['terminated', "parentPort.postMessage('ready'); for (let i = 0; i < 3; i++) slow(2);", '1'],
    ['that exits', 'for (let i = 0; i < 3; i++) slow(2); setTimeout(() => process.exit(3), 10);', '3'],
    ['that throws', "for (let i = 0; i < 3; i++) slow(2); setTimeout(() => { throw new Error('mine'); }, 10);", '1'],
    ['that ends when its calls have', 'slow(1);', '0'],
  ])('one %s in the middle of a call ends alone', (_name, body, code) => {
    const program = `
      const { Worker } = require('node:worker_threads');
      const own = F.mseLoss.async(torch.ones([1000]), torch.zeros([1000]));
      const worker = new Worker(${inWorker(body)}, { eval: true });
      worker.on('error', () => {});
      worker.on('message', () => setTimeout(() => worker.terminate(), 10));
      worker.on('exit', async (code) => {
        const [mine, other] = [await own, await F.mseLoss.async(torch.ones([10]), torch.zeros([10]))];
        console.log(code, mine.item(), other.item());
      });
    `;
    expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout: `${code} 1 1\n`, stderr: '' });
  });

  test('none waits for the calls of another', () => {
    const times = printedBy<Record<'long' | 'short' | 'own', number>>(`
      const { Worker } = require('node:worker_threads');
      const short = new Worker(${inWorker(`
        parentPort.postMessage('ready');
        parentPort.once('message', () => F.mseLoss.async([1], [2]).then(() => parentPort.postMessage('done')));
      `)}, { eval: true });
      const times = {};
      short.once('message', () => {
        const long = new Worker(${inWorker(`
          const call = slow(20);
          parentPort.postMessage('started');
          call.then(() => parentPort.postMessage('done'));
        `)}, { eval: true });
        long.once('message', () => {
          const start = performance.now();
          const finish = (name) => {
            times[name] = performance.now() - start;
            if (Object.keys(times).length === 3) console.log(JSON.stringify(times));
          };
          long.once('message', () => finish('long'));
          short.once('message', () => finish('short'));
          short.postMessage('go');
          F.mseLoss.async([1], [2]).then(() => finish('own'));
        });
      });
    `);
    // Behind the long call they would end when that does.
    expect(Math.max(times.short, times.own)).toBeLessThan(times.long / 2);
  });

  test('each takes its thread along, and the threads that work for that one', () => {
    const [before, after] = printedBy<[number, number]>(`
      const { Worker } = require('node:worker_threads');
      const { readdirSync } = require('node:fs');
      const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
      const code = ${inWorker(`
        torch.setNumThreads(2);
        torch.valueAndGrad((x) => x.matmul(x).exp().sum()).async(torch.zeros([300, 300]));
      `)};
      const round = () => new Promise((resolve) => new Worker(code, { eval: true }).once('exit', resolve));
      (async () => {
        await F.mseLoss.async([1], [2]);
        await round();
        const before = threads();
        for (let i = 0; i < 5; i++) await round();
        console.log(JSON.stringify([before, threads()]));
      })();
    `);
    // A thread that has been waited for may be listed a moment longer.
    expect(after).toBeLessThanOrEqual(before + 2);
  });

  test.each<[string, string, number]>([
    ['the process exits', 'process.exit(7)', 7],
    ['an error ends it', "throw new Error('mine')", 1],
    ['they are terminated, and the process ends by itself', 'for (const worker of workers) worker.terminate()', 0],
  ])('three are in the middle of calls when %s', (_name, ending, status) => {
    // The main thread has loaded nothing: the last worker may take the library along.
    const { status: found, signal } = runProgram(`
      const { Worker } = require('node:worker_threads');
      const code = ${inWorker("for (let i = 0; i < 3; i++) slow(20); parentPort.postMessage('started');")};
      const workers = [1, 2, 3].map(() => new Worker(code, { eval: true }));
      let started = 0;
      for (const worker of workers) {
        worker.once('message', () => {
          if (++started === 3) setTimeout(() => { ${ending}; }, 20);
        });
      }
    `);
    expect({ status: found, signal }).toEqual({ status, signal: null });
  });

  test('10 rounds of workers that are terminated at any moment', () => {
    const program = `
      const { Worker } = require('node:worker_threads');
      const code = ${JSON.stringify(`
        const torch = require(${JSON.stringify(dist)});
        const F = torch.nn.functional;
        const { parentPort } = require('node:worker_threads');
        const x = torch.randn([300, 300], { requiresGrad: true });
        parentPort.postMessage('ready');
        (async () => {
          for (;;) {
            const calls = [1, 2, 3].map(() => F.crossEntropy.async(x, torch.randint(0, 300, [300])));
            for (const call of calls) (await call).backward();
          }
        })();
      `)};
      const once = (worker, event) => new Promise((resolve) => worker.once(event, resolve));
      (async () => {
        for (let round = 0; round < 10; round++) {
          const workers = [0, 1, 2].map(() => new Worker(code, { eval: true }));
          for (const worker of workers) worker.on('error', (error) => { console.log(error); process.exitCode = 1; });
          await Promise.all(workers.map((worker) => once(worker, 'message')));
          const own = F.crossEntropy.async(torch.randn([100, 100]), torch.randint(0, 100, [100]));
          await new Promise((resolve) => setTimeout(resolve, (round * 7) % 13));
          await Promise.all(workers.map((worker) => worker.terminate()));
          await own;
        }
        console.log('done');
      })();
    `;
    expect(runProgram(program)).toEqual({ status: 0, signal: null, stdout: 'done\n', stderr: '' });
  });
});
