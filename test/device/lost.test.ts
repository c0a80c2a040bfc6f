/**
 * A device that an assertion has ended: the next call that waits says so, every later one as well, and nothing ends the
 * process. In processes of their own, which do not forget it.
 */
import { dist, printedBy } from '../support/child';
import { addon, devices } from '../support/device';

const [first, second] = devices;

const prologue = `
  torch.libtorchVersion();
  const fake = require(${JSON.stringify(addon)});
  const { stage } = require(${JSON.stringify(`${dist}/torch/staging.js`)});
  const [first, second] = ${JSON.stringify(devices)};
  fake.assertOnBadValues(true);
  const on = (values, dtype) => torch.tensor(values, { dtype, device: first });
  const told = (fn) => { try { fn(); return 'fine'; } catch (error) { return error.code ?? String(error); } };
  const answer = (found) => console.log(JSON.stringify(found));
  const scores = on([[1, 2, 0.5], [3, 1, 2]], 'float32');
  const bad = on([1, 7], 'int64');
`;

test('is told by the next call that waits, and by every call after that', () => {
  const found = printedBy(`${prologue}
    const loss = F.crossEntropy(scores, bad);
    const steps = {
      queued: told(() => loss.add(1)),
      waits: told(() => loss.item()),
      computes: told(() => scores.add(1)),
      makes: told(() => torch.zeros([1000], { device: first })),
      copies: told(() => torch.zeros([2]).to(first)),
      reads: told(() => scores.toArray()),
      background: undefined,
      other: told(() => torch.zeros([1], { device: second }).add(1).item()),
      cpu: told(() => F.crossEntropy([[1, 2]], [0]).item()),
    };
    Promise.all([F.crossEntropy.async(scores, bad), scores.toTypedArrayAsync()].map((one) => one.catch(({ code }) => code)))
      .then((codes) => answer({ ...steps, background: codes }), answer);
  `);
  const lost = 'DEVICE_LOST';
  expect(found).toEqual({
    queued: 'fine',
    waits: lost,
    computes: lost,
    makes: lost,
    copies: lost,
    reads: lost,
    background: [lost, lost],
    other: 'fine',
    cpu: 'fine',
  });
});

test('by values that are out of range, of every loss that has such', () => {
  const found = printedBy<Record<string, string[]>>(`${prologue}
    const image = on([[[[1]], [[2]]]], 'float32');
    const calls = {
      crossEntropy: () => F.crossEntropy(scores, bad),
      'crossEntropy of an image': () => F.crossEntropy(image, on([[[9]]], 'int64')),
      'crossEntropy with a gradient': () => F.crossEntropy(scores.clone().requiresGrad_(), bad).backward(),
      'value and gradient': () => torch.valueAndGrad(F.crossEntropy)(scores, bad).value,
      nllLoss: () => F.nllLoss(scores, bad, { reduction: 'none' }),
      multiMarginLoss: () => F.multiMarginLoss(scores, bad),
      multilabelMarginLoss: () => F.multilabelMarginLoss(scores, on([[0, 9, -1], [1, -1, 0]], 'int64')),
      binaryCrossEntropy: () => F.binaryCrossEntropy(on([0.5, 1.5], 'float32'), on([0, 1], 'float32')),
      linearCrossEntropy: () => F.linearCrossEntropy(scores, on([[1, 2, 3], [4, 5, 6]], 'float32'), bad),
      gather: () => scores.gather(1, on([[9], [0]], 'int64')),
    };
    const found = {};
    for (const [name, call] of Object.entries(calls)) {
      fake.resetLost(0);
      found[name] = [told(call), told(() => torch.zeros([1], { device: first }).item())];
    }
    answer(found);
  `);
  for (const outcome of Object.values(found)) expect(outcome).toEqual(['fine', 'DEVICE_LOST']);
  expect(Object.keys(found)).toHaveLength(10);
});

test('by no evaluation: values are looked at before', () => {
  const found = printedBy<Record<string, unknown>>(`${prologue}
    const evaluated = async (loss, input, target) => {
      const evaluator = new torch.BatchEvaluator(loss);
      const told = [];
      for (const update of ['update', 'updateAsync']) {
        try { await evaluator[update](input, target); told.push('fine'); } catch ({ code }) { told.push(code); }
      }
      return told;
    };
    (async () => answer({
      crossEntropy: await evaluated(F.crossEntropy, scores, bad),
      multiMarginLoss: await evaluated(F.multiMarginLoss, scores, bad),
      multilabelMarginLoss: await evaluated(F.multilabelMarginLoss, scores, on([[0, 9, -1], [1, -1, 0]], 'int64')),
      binaryCrossEntropy: await evaluated(F.binaryCrossEntropy, on([0.5, 1.5], 'float32').expand([64, 2]), on([0, 1], 'float32').expand([64, 2])),
      after: told(() => torch.ones([2], { device: first }).sum().item()),
    }))();
  `);
  expect(found).toEqual({
    crossEntropy: ['INDEX', 'INDEX'],
    multiMarginLoss: ['INDEX', 'INDEX'],
    multilabelMarginLoss: ['INDEX', 'INDEX'],
    binaryCrossEntropy: ['RUNTIME', 'RUNTIME'],
    after: 'fine',
  });
});

test('memory that other streams have used stays where it is, whoever drops it', () => {
  const found = printedBy(`${prologue}
    const [given] = stage([torch.rand([64])], first)();
    const collected = (() => stage([torch.rand([64])], first)()[0])();
    (() => stage([torch.rand([64])], first))();
    const pinned = torch.rand([64]).pinMemory();
    pinned.to({ device: first, nonBlocking: true });
    const plain = torch.rand([64]);
    const code = told(() => F.crossEntropy(scores, bad).item());
    given.dispose();
    pinned.dispose();
    plain.dispose();
    gc();
    const staging = told(() => stage([torch.rand([8])], first));
    gc();
    answer({ code, staging, fatal: [fake.fatalFrees(0), fake.fatalFrees(1)] });
  `);
  expect(found).toEqual({ code: 'DEVICE_LOST', staging: 'DEVICE_LOST', fatal: [0, 0] });
});

test('reading off the main thread that was under way fails, and frees nothing', () => {
  const found = printedBy(`${prologue}
    const loss = F.crossEntropy(scores, bad);
    const reading = loss.toTypedArrayAsync();
    reading.catch(({ code }) => { gc(); answer({ code, fatal: fake.fatalFrees(0) }); });
  `);
  expect(found).toEqual({ code: 'DEVICE_LOST', fatal: 0 });
});

test('both devices are there in a process of its own', () => {
  expect(printedBy(`${prologue} answer([torch.zeros([1], { device: second }).device, scores.device]);`)).toEqual([
    second,
    first,
  ]);
});
