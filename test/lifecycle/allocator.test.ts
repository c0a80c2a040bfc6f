/** The caching allocator: bounded, off on request, used by several threads, and of no influence on any bit. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const index = JSON.stringify(join(resolve(__dirname, '../..'), 'dist', 'index.js'));

/** Runs a program that prints JSON, with a bound in megabytes. */
function run<T>(program: string, megabytes?: string): T {
  const { LIBTORCH_LOSSES_CPU_CACHE: _, ...env } = process.env;
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['-e', `const torch = require(${index}); ${program}`],
    { encoding: 'utf8', env: megabytes === undefined ? env : { ...env, LIBTORCH_LOSSES_CPU_CACHE: megabytes } },
  );
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
  return JSON.parse(stdout) as T;
}

const cycle = `
  const kept = [];
  for (let i = 0; i < 40; i++) {
    const tensors = [torch.zeros([1 << (i % 22)]), torch.ones([(i * 7919) % 100000]), torch.zeros([3 << 18])];
    for (const tensor of tensors) tensor.dispose();
    kept.push(torch.memory().cached);
  }
`;

test('memory is kept up to the bound, and given back by emptyCache()', () => {
  const { most, after } = run<{ most: number; after: number }>(
    `${cycle} torch.emptyCache(); console.log(JSON.stringify({ most: Math.max(...kept), after: torch.memory().cached }))`,
    '8',
  );
  // The bound holds for large blocks; small ones are bounded apart, at a megabyte a thread.
  expect(most).toBeGreaterThan(3 << 20);
  expect(most).toBeLessThanOrEqual(9 << 20);
  expect(after).toBe(0);
});

test('0 turns it off', () => {
  const figures = run(
    `${cycle} const { allocated, cached } = torch.memory(); console.log(JSON.stringify({ allocated, cached }))`,
    '0',
  );
  expect(figures).toEqual({ allocated: 0, cached: 0 });
});

test('allocated bytes return to what they were', () => {
  const { before, during, after } = run<{ before: number; during: number; after: number }>(`
    const before = torch.memory().allocated;
    const x = torch.zeros([1000, 1000]);
    const during = torch.memory().allocated;
    x.dispose();
    console.log(JSON.stringify({ before, during, after: torch.memory().allocated }));
  `);
  expect(during - before).toBeGreaterThanOrEqual(4e6);
  expect(during - before).toBeLessThan(4.6e6);
  expect(after).toBe(before);
});

test('a size that nothing can hold is refused in libtorch’s words', () => {
  const { code, message } = run<{ code: string; message: string }>(`
    try {
      torch.empty([2 ** 50]);
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }));
    }
  `);
  expect(code).toBe('OUT_OF_MEMORY');
  expect(message).toMatch(/can't allocate memory: you tried to allocate \d+ bytes/);
});

test('threads allocate and free at once, and end', () => {
  const { ended } = run<{ ended: number }>(`
    const { Worker, isMainThread } = require('node:worker_threads');
    const work = \`
      const torch = require(${index.replaceAll('"', '\\"')});
      for (let i = 0; i < 400; i++) {
        const x = torch.randn([1 + (i * 37) % 5000, 8], { requiresGrad: true });
        x.mul(2).sum().backward();
        if (i % 3) x.dispose();
      }
    \`;
    torch.zeros([1]);
    let ended = 0;
    for (let i = 0; i < 4; i++) {
      new Worker(work, { eval: true }).on('exit', (code) => {
        ended += code === 0 ? 1 : 0;
        if (ended === 4) console.log(JSON.stringify({ ended }));
      });
    }
  `);
  expect(ended).toBe(4);
});

test('values and gradients have the same bits with and without it, whole and in chunks, off the main thread too', () => {
  const program = `
    const { createHash } = require('node:crypto');
    const F = torch.nn.functional;
    torch.manualSeed(0);
    process.on('warning', () => {});
    const bits = [];
    const note = (tensor) => bits.push(createHash('sha256').update(tensor.detach().toTypedArray()).digest('hex'));
    async function compare(input, target, loss, options) {
      const leaf = input.clone().requiresGrad_();
      const value = loss(leaf, target, options);
      value.backward();
      bits.push(loss.item(input, target, options), value.item());
      note(leaf.grad);
      const direct = torch.valueAndGrad(loss)(input, target, options);
      note(direct.grad);
      const later = await torch.valueAndGrad(loss, { gradInto: input }).async(input, target, options);
      note(later.value);
      note(input);
    }
    (async () => {
      for (const [rows, classes] of [[17, 33], [2017, 33], [700, 1600]]) {
        const labels = torch.randint(0, classes, [rows]);
        for (const options of [{}, { labelSmoothing: 0.1 }, { weight: torch.rand([classes]), ignoreIndex: 3 }]) {
          await compare(torch.randn([rows, classes]), labels, F.crossEntropy, options);
        }
        for (const loss of [F.mseLoss, F.binaryCrossEntropyWithLogits, F.klDiv, F.smoothL1Loss]) {
          await compare(torch.randn([rows, classes]), torch.rand([rows, classes]), loss, { reduction: 'sum' });
        }
      }
      console.log(JSON.stringify(bits));
    })();
  `;
  const cached = run(program);
  expect(cached).toHaveLength(126);
  expect(run(program, '0')).toEqual(cached);
});

test('PyTorch’s recorded answers come without it, too', () => {
  const args = [join(resolve(__dirname, '../..'), 'dist', 'cli', 'main.js'), 'parity', '--json'];
  const env = { ...process.env, LIBTORCH_LOSSES_CPU_CACHE: '0' };
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env, maxBuffer: 2 ** 26 });
  expect({ status, failures: (JSON.parse(stdout) as { failures: unknown }).failures }).toEqual({
    status: 0,
    failures: [],
  });
}, 60_000);
