/** Memory and the garbage collector: what is dropped goes back, in the middle of a loop and in the middle of an error. */
import { dist, printedBy, runNode } from '../support/child';

/** Steps of loops, each of which drops about a megabyte or more. */
const loops: readonly [string, string][] = [
  ['tensors', 'torch.ones([250_000])'],
  ['graphs', 'torch.ones([250_000], { requiresGrad: true }).mul(2).sum().backward()'],
  ['graphs that nobody ran', 'torch.ones([250_000], { requiresGrad: true }).exp().sum()'],
  ['views', 'torch.ones([500, 500]).t().narrow(0, 1, 2)'],
  ['shared arrays', 'torch.fromTypedArray(new Float32Array(250_000)).add(1)'],
  ['gradients of one leaf', '(global.leaf ??= torch.ones([250_000], { requiresGrad: true })).mul(2).sum().backward()'],
  ['operands of errors', 'try { torch.ones([250_000]).add(torch.ones([3])) } catch {}'],
];

test.each(loops)('a plain loop that drops %s does not grow', (_name, step) => {
  // Without finalizers in the collection it would grow to 4,000 MB and more; what it does grow to was 50 to 170.
  const { grown, tensors } = printedBy<{ grown: number; tensors: number }>(`
    torch.ones([1]).sum();
    const before = process.memoryUsage.rss();
    let peak = before;
    for (let i = 0; i < 4000; i++) {
      ${step};
      if (i % 16 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    }
    gc();
    console.log(JSON.stringify({ grown: (peak - before) / 2 ** 20, tensors: torch.memory().tensors }));
  `);
  expect(grown).toBeLessThan(600);
  expect(tensors).toBeLessThan(10);
});

test('small tensors that are dropped go back soon, and those that are kept stay', () => {
  // Without flags, as programs run; V8 itself would wait for some 70,000 of them.
  const { status, stdout, stderr } = runNode(
    '-e',
    `const torch = require(${JSON.stringify(dist)});
    const x = torch.ones([8]);
    const kept = Array.from({ length: 20_000 }, (_, i) => torch.full([], i));
    let most = 0;
    for (let i = 0; i < 50_000; i++) {
      x.add(1);
      if (i > 30_000) most = Math.max(most, torch.memory().tensors - kept.length);
    }
    const lost = kept.filter((tensor, i) => tensor.item() !== i).length;
    const exposed = [typeof gc, require('node:vm').runInNewContext('typeof gc')];
    console.log(JSON.stringify({ most, lost, exposed }));`,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { most, lost, exposed } = JSON.parse(stdout) as { most: number; lost: number; exposed: string[] };
  expect(most).toBeLessThan(10_000);
  expect(lost).toBe(0);
  // Nothing is left in the program's own contexts.
  expect(exposed).toEqual(['undefined', 'undefined']);
});

test('a handle means nothing to another copy of the addon, nor does any other External', () => {
  const results = printedBy<string[]>(`
    const { native, loadedLibtorch } = require(${JSON.stringify(`${dist}/binding/load.js`)});
    const { handleOf } = require(${JSON.stringify(`${dist}/torch/bind.js`)});
    const tensor = torch.ones([2]);
    const other = { exports: {} };
    process.dlopen(other, loadedLibtorch().addon);
    const { numel, failed, failure, newGenerator } = other.exports;
    const told = (value) => (numel(value) === failed ? failure()[0] : 'taken');
    const own = other.exports.fromBytes(new Float32Array(2), 6, [2]);
    console.log(JSON.stringify([told(own), told(handleOf(tensor)), told(newGenerator('cpu')), told({}), told(1)]));
  `);
  expect(results).toEqual(['taken', ...Array.from({ length: 4 }, () => 'INVALID_ARGUMENT')]);
});

test('collected tensors leave nothing behind: neither handles nor graphs', () => {
  const { before, after } = printedBy<Record<'before' | 'after', number[]>>(`
    const figures = () => {
      gc();
      const { tensors, bytes, allocated } = torch.memory();
      return [tensors, bytes, allocated];
    };
    function work() {
      const x = torch.randn([100, 10], { requiresGrad: true });
      const loss = F.crossEntropy(x.mul(2), torch.randint(0, 10, [100]), { weight: torch.ones([10]) });
      const [g] = torch.grad(loss, x, { createGraph: true });
      g.square().sum().backward();
      x.grad = undefined;
      torch.fromTypedArray(new Float32Array(1000)).reshape([10, 100]).t();
      try { x.add(torch.ones([7])); } catch {}
      String(x.unbind(0)[3]);
    }
    work();
    const before = figures();
    for (let i = 0; i < 200; i++) work();
    console.log(JSON.stringify({ before, after: figures() }));
  `);
  expect(after).toEqual(before);
});

test('hooks are collected with the graph that held them, also where nobody removed them', () => {
  const { collected } = printedBy<{ collected: number }>(`
    let collected = 0;
    const registry = new FinalizationRegistry(() => { collected += 1; });
    const leaf = torch.ones([10], { requiresGrad: true });
    function work() {
      const hook = (gradient) => gradient.mul(2);
      registry.register(hook);
      const doubled = leaf.mul(2);
      doubled.registerHook(hook);
      doubled.sum().backward();
    }
    (async () => {
      for (let i = 0; i < 100; i++) work();
      for (let i = 0; i < 10 && collected < 100; i++) {
        gc();
        torch.ones([1]).add(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log(JSON.stringify({ collected }));
    })();
  `);
  // The last ones may still be on the stack.
  expect(collected).toBeGreaterThan(90);
});

test('an array that a dropped tensor shared is let go', () => {
  const { collected } = printedBy<{ collected: boolean }>(`
    let collected = false;
    const registry = new FinalizationRegistry(() => { collected = true; });
    (() => {
      const array = new Float32Array(10);
      registry.register(array, 0);
      torch.fromTypedArray(array).reshape([2, 5]);
    })();
    let rounds = 0;
    (function wait() {
      gc();
      torch.memory(); // any call deletes what was dropped before
      if (collected || ++rounds > 50) console.log(JSON.stringify({ collected }));
      else setTimeout(wait, 5);
    })();
  `);
  expect(collected).toBe(true);
});

// Node throws a native exception on only after the native function has returned. If that very moment collects garbage,
// and a finalizer runs in it, Node takes the exception for the finalizer's and ends the process. A small new space
// makes that moment come within some thousand errors.
test.each([
  ['libtorch’s errors', 'two.add(three)'],
  ['the bridge’s errors', 'gone.sum()'],
  ['errors of scripts in native calls', 'torch.noGrad(() => { throw new Error(); })'],
])('%s do not meet the garbage collector', (_name, call) => {
  const { caught } = printedBy<{ caught: number }>(
    `
      const [two, three, gone] = [torch.ones([2]), torch.ones([3]), torch.ones([1])];
      gone.dispose();
      let caught = 0;
      for (let i = 0; i < 20_000; i++) {
        torch.empty([0]);
        try { ${call}; } catch { caught++; }
      }
      console.log(JSON.stringify({ caught }));
    `,
    '--max-semi-space-size=1',
  );
  expect(caught).toBe(20_000);
});

test('a gigabyte in small tensors, dropped and disposed in turns', () => {
  const { tensors } = printedBy<{ tensors: number }>(`
    for (let i = 0; i < 60_000; i++) {
      const x = torch.empty([4096]);
      if (i % 3 === 0) x.dispose();
      if (i % 5 === 0) torch.scope(() => torch.empty([8]).add(1));
    }
    gc();
    console.log(JSON.stringify({ tensors: torch.memory().tensors }));
  `);
  expect(tensors).toBeLessThan(5);
});

test('a plain training loop needs little more memory than the same in scopes', () => {
  const peak = (scoped: boolean): number => {
    const { megabytes } = printedBy<{ megabytes: number }>(`
      const [w, y] = [torch.randn([100, 50], { requiresGrad: true }), torch.randint(0, 50, [256])];
      const x = torch.randn([256, 100]);
      function step() {
        const loss = F.crossEntropy(x.matmul(w), y);
        loss.backward();
        torch.noGrad(() => w.sub_(w.grad, { alpha: 0.01 }));
        w.grad = undefined;
        return loss.item();
      }
      for (let i = 0; i < 10_000; i++) ${scoped ? 'torch.scope(step)' : 'step()'};
      console.log(JSON.stringify({ megabytes: process.resourceUsage().maxRSS / 1024 }));
    `);
    return megabytes;
  };
  expect(peak(false)).toBeLessThan(1.5 * peak(true));
});
