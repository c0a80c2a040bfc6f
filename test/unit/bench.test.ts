/** The benchmark's arithmetic and its pictures, on made-up clocks: no time is measured here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate } from '../support/modules';

const folder = 'scripts/bench';

describe('measure', () => {
  const imports = { 'measure, median, ratio, difference': `${folder}/measure.mjs` };

  test('medians are those of the numbers in order', () => {
    const medians = evaluate(imports, 'report([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])])');
    expect(medians).toEqual([2, 2.5, 7]);
  });

  test('the median of nothing is an error', () => {
    expect(evaluate(imports, 'try { median([]) } catch (e) { report(e.message) }')).toMatch(/at least one/);
  });

  test('ratios and differences are taken within a round, then their median', () => {
    // Medians 2 and 4 would give 0.5; round by round it is 1/1, 2/8, 9/4.
    const program = `
      const [a, b] = [{ samples: [1, 2, 9] }, { samples: [1, 8, 4] }];
      report({ ratio: ratio(a, b), difference: difference(a, b), none: ratio(a, undefined) === undefined })`;
    expect(evaluate(imports, program)).toEqual({ ratio: 1, difference: 0, none: true });
  });

  test('batches grow to their length, rounds are taken in turn by all, the order rotates', () => {
    // Calls of "slow" take 10 ms, of "fast" 1 ms; the fast one's first call takes longer.
    const program = `
      const log = [];
      const take = (id, seconds, first = seconds) => {
        let calls = 0;
        return { id, run: async (count) => {
          log.push([id, count]);
          const time = calls === 0 ? first : seconds;
          calls += count;
          return count * time;
        } };
      };
      const options = { batchSeconds: 0.05, rounds: 3, fewestRounds: 3, budgetSeconds: 10 };
      const times = await measure([take('slow', 0.01), take('fast', 0.001, 0.02)], options);
      report({ times, rounds: log.slice(-6) })`;
    const { times, rounds } = evaluate<{
      times: Record<string, { seconds: number; samples: number[] }>;
      rounds: [string, number][];
    }>(imports, program);
    expect(rounds.map(([id]) => id)).toEqual(['slow', 'fast', 'fast', 'slow', 'slow', 'fast']);
    expect(Object.fromEntries(rounds)).toEqual({ slow: 5, fast: 50 });
    expect(times.slow?.seconds).toBeCloseTo(0.01, 12);
    expect(times.fast?.seconds).toBeCloseTo(0.001, 12);
    expect(times.fast?.samples).toHaveLength(3);
  });

  test('where rounds are dear there are fewer of them, but not fewer than the least', () => {
    const program = `
      const of = async (seconds) => {
        const run = async (count) => count * seconds;
        const options = { batchSeconds: 0.05, rounds: 7, fewestRounds: 3, budgetSeconds: 2.5 };
        return (await measure([{ id: 'a', run }], options)).a.samples.length;
      };
      report([await of(0.001), await of(0.5), await of(4)])`;
    expect(evaluate(imports, program)).toEqual([7, 5, 3]);
  });
});

describe('agreement', () => {
  const imports = { 'compare, Disagreement': `${folder}/agreement.mjs` };
  const run = (results: unknown): string | null =>
    evaluate(
      imports,
      `const kase = { id: 'mseLoss 32 float32', dtype: 'float32' };
       try { compare(kase, 'gradient', ${JSON.stringify(results)}); report(null) }
       catch (e) { report(e instanceof Disagreement ? e.message : 'another error') }`,
    );
  const result = (value: number, sha256?: string) => ({ value, gradient: { norm: 2, ...(sha256 && { sha256 }) } });

  test('the same kernels must give the same bits', () => {
    expect(run({ tensors: result(1, 'a'), pytorch: result(1, 'a'), cpp: result(1) })).toBeNull();
    expect(run({ tensors: result(1.0000001, 'a'), pytorch: result(1, 'a') })).toMatch(
      /tensors has the value 1.0000001/,
    );
    expect(run({ tensors: result(1, 'b'), pytorch: result(1, 'a') })).toMatch(/hash of the gradient/);
  });

  test('other code must come near', () => {
    expect(run({ tfjs: result(1.00001, 'c'), pytorch: result(1, 'a') })).toBeNull();
    expect(run({ tfjs: result(1.01, 'c'), pytorch: result(1, 'a') })).toMatch(/tfjs has the value 1.01/);
  });

  test('without PyTorch there is still something to compare with', () => {
    expect(run({ tensors: result(1, 'a'), reference: result(2, 'b') })).toMatch(/reference has the value 2/);
  });

  test('NaN agrees with nothing', () => {
    expect(run({ tensors: { value: null }, pytorch: { value: 1 } })).toMatch(/tensors has the value/);
  });
});

describe('the work', () => {
  const imports = { 'cases, chooseCases, targetRatio, targetOverhead': `${folder}/cases.mjs` };

  test('each case is there once, and each loss at its sizes', () => {
    const ids = evaluate<string[]>(imports, 'report(cases.map((kase) => kase.id))');
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(6 + 6 + 4 * 4 + 1);
    expect(ids).toContain('crossEntropy 2048x50257 bfloat16');
    expect(ids).toContain('ctcLoss T=100 N=32 C=80 float32');
  });

  test('cases are chosen by a part of their name', () => {
    const program = "report(chooseCases({ filter: 'CROSSENTROPY 3x4' }).map((kase) => kase.id))";
    expect(evaluate(imports, program)).toEqual(['crossEntropy 3x4 float32', 'crossEntropy 3x4 bfloat16']);
  });

  test('what is aimed at', () => {
    const program = `
      const at = (id) => cases.find((kase) => kase.id === id);
      const small = at('crossEntropy 3x4 float32');
      report([
        targetRatio(small, 'number'), targetRatio(small, 'tensor'), targetRatio(small, 'gradient'),
        targetRatio(at('crossEntropy 3x4 bfloat16'), 'number'), targetRatio(at('klDiv 3e7 float32'), 'gradient'),
        targetOverhead(small, 'number'), targetOverhead(small, 'tensor'),
        targetOverhead(at('mseLoss 1e6 float32'), 'number') ?? null,
      ])`;
    expect(evaluate(imports, program)).toEqual([0.5, 1, 0.15, 1, 0.4, 1, 2, null]);
  });
});

describe('the inputs', () => {
  test('are the same in each run, of the size that was asked for, and fit their losses', () => {
    const imports = { chooseCases: `${folder}/cases.mjs`, writeInputs: `${folder}/inputs.mjs` };
    const program = (scratch: string) => `
      const { readFileSync } = await import('node:fs');
      const [kase] = chooseCases({ filter: 'ctcLoss' });
      const read = () => writeInputs(kase, ${JSON.stringify(scratch)}).map(({ path }) => readFileSync(path));
      const [first, again] = [read(), read()];
      const longs = (bytes) => Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number);
      const logs = new Float32Array(new Uint8Array(first[0]).buffer);
      report({
        same: first.every((bytes, i) => bytes.equals(again[i])),
        sizes: first.map((bytes) => bytes.length),
        labels: [Math.min(...longs(first[1])), Math.max(...longs(first[1]))],
        lengths: [longs(first[2])[0], longs(first[3])[0]],
        probability: logs.subarray(0, 80).reduce((sum, x) => sum + Math.exp(x), 0),
      })`;
    const scratch = mkdtempSync(join(tmpdir(), 'libtorch-losses-test-'));
    try {
      const { probability, ...inputs } = evaluate<Record<string, unknown>>(imports, program(scratch));
      expect(inputs).toEqual({
        same: true,
        sizes: [100 * 32 * 80 * 4, 32 * 20 * 8, 32 * 8, 32 * 8],
        labels: [1, 79],
        lengths: [100, 20],
      });
      expect(probability).toBeCloseTo(1, 5);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});

describe('tables', () => {
  const imports = { 'layOut, showTime, speedTables': `${folder}/table.mjs` };
  const time = (seconds: number) => ({ seconds, samples: [seconds] });
  const record = {
    loss: 'mseLoss',
    size: '32',
    dtype: 'float32',
    elements: 32,
    form: 'number',
    threads: 1,
    times: { tensors: time(2e-6), pytorch: time(4e-6) },
    toPyTorch: { tensors: 0.5 },
    target: 1,
    overCpp: 1.5,
    targetOverCpp: 1,
  };

  test('columns are as wide as their widest cell', () => {
    const table = evaluate<string>(imports, "report(layOut(['a', 'bb'], [['long', '1'], ['b', '200']]))");
    expect(table.split('\n')).toEqual(['a      bb', '────  ───', 'long    1', 'b     200']);
  });

  test('times have a unit and three digits', () => {
    const shown = evaluate(imports, 'report([1.2345e-6, 0.0456, 12.345, undefined].map(showTime))');
    expect(shown).toEqual(['1.23 us', '45.6 ms', '12.3 s', '–']);
  });

  test('figures are judged in words; colours only where they are asked for', () => {
    const program = `const records = [${JSON.stringify(record)}];
      report([speedTables(records, { isColoured: false })[0], speedTables(records, { isColoured: true })[0]])`;
    const [plain, coloured] = evaluate<[string, string]>(imports, program);
    expect(plain).toMatch(/^1 thread\n/);
    expect(plain).toMatch(/mseLoss\s+32\s+number\s+2 us\s+4 us\s+0\.500 ≤ 1\.00 met\s+1\.50 ≤ 1\.00 missed$/m);
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[32m');
    expect(coloured).toContain('\u001b[31m');
  });
});

describe('plot', () => {
  const imports = { plot: `${folder}/plot.mjs`, cases: `${folder}/cases.mjs` };

  test('is XML, with a line for each loss in each panel', () => {
    const program = `
      const records = [1, 2].flatMap((threads) => cases.flatMap((kase) => ['number', 'gradient'].map((form) =>
        ({ ...kase, form, threads, toPyTorch: { tensors: 0.1 + kase.order / 10 } }))));
      report(plot(records, 'a < b & "c"'))`;
    const svg = evaluate<string>(imports, program);
    expect(unclosed(svg)).toEqual([]);
    const losses = [...svg.matchAll(/data-loss="([^"]*)"/g)].map(([, loss]) => loss);
    expect(losses).toHaveLength(7 * 4);
    expect(new Set(losses).size).toBe(7);
    expect(svg).toContain('<title>a &lt; b &amp; &quot;c&quot;</title>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('has nothing to show without ratios', () => {
    const program = "try { plot([], '') } catch (e) { report(e.message) }";
    expect(evaluate(imports, program)).toMatch(/but received none/);
  });
});

/** The elements that are not closed, or closed out of order, of an XML text; throws at text that is not markup. */
function unclosed(xml: string): string[] {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&[#\w]+;[^"<&]*)*")*)\s*(\/?)>/g,
    (_, end, name, __, empty) => {
      if (end && open.pop() !== name) throw new Error(`</${name}> closes another element`);
      if (!end && !empty) open.push(name);
      return '';
    },
  );
  if (/[<>]|&(?![#\w]+;)/.test(rest)) throw new Error(`not markup: ${/.{0,20}[<>&].{0,40}/.exec(rest)?.[0]}`);
  return open;
}
