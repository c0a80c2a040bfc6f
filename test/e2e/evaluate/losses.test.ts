/** `libtorch-losses evaluate` with every kind of loss, against the same call in this process: figures and gradients. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { lossNames } from '../../../lib/evaluate/losses';
import { lossNamed } from '../../../lib/evaluate/request';
import { npy } from '../../support/arrays';
import { dist, runNode } from '../../support/child';
import { quietly } from '../../support/conditions';
import { refusal } from '../../unit/reference/support';

jest.setTimeout(60_000);
quietly();

const { functional: F } = torch.nn;
const rows = 130;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'losses-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a tensor; gives its path. */
function save(name: string, tensor: torch.Tensor): string {
  const path = join(folder, `${name}.npy`);
  const kind = tensor.dtype === 'int64' ? 'i8' : 'f4';
  writeFileSync(path, npy({ kind, shape: tensor.shape, values: [...tensor.toTypedArray()] as number[] }));
  return path;
}

function read(path: string): { shape: string | undefined; elements: number[] } {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const elements = [...new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer)];
  return { shape: /'shape': \((.*?),?\)/.exec(bytes.toString('latin1', 0, start))?.[1], elements };
}

type Options = Record<string, number | boolean | string | torch.Tensor>;
type Call = (...args: unknown[]) => torch.Tensor;

/** Name, arguments in their order by the flags' names, options. */
function losses(): [loss: unknown, name: string, args: Record<string, torch.Tensor>, options: Options][] {
  torch.manualSeed(11);
  const x = torch.randn([rows, 4]);
  const y = torch.rand([rows, 4]);
  const places = { input: torch.randn([rows, 4, 3]), target: torch.randint(0, 4, [rows, 3]) };
  return [
    [F.crossEntropy, 'CrossEntropyLoss', places, { weight: torch.rand([4]), ignoreIndex: 2 }],
    [F.crossEntropy, 'cross_entropy', { input: x, target: y.softmax(1) }, { labelSmoothing: 0.2 }],
    [F.mseLoss, 'mse', { input: x, target: y }, { weight: torch.rand([4]) }],
    [F.klDiv, 'kl-div', { input: x.logSoftmax(1), target: y.softmax(1) }, { reduction: 'batchmean' }],
    [F.huberLoss, 'huber', { input: x, target: y }, { delta: 0.5, reduction: 'sum' }],
    [F.binaryCrossEntropyWithLogits, 'bce-with-logits', { input: x, target: y }, { posWeight: torch.rand([4]) }],
    [F.gaussianNllLoss, 'gaussian-nll', { input: x, target: y, variance: y.add(0.1) }, { full: true }],
    [F.multiMarginLoss, 'multi-margin', { input: x, target: torch.randint(0, 4, [rows]) }, { p: 2 }],
    [F.tripletMarginLoss, 'triplet-margin', { input: x, positive: y, negative: y.mul(2) }, { swap: true, margin: 2 }],
    [F.cosineEmbeddingLoss, 'cosine-embedding', { input: x, input2: y, target: torch.ones([rows]) }, {}],
    [F.linearCrossEntropy, 'linear-cross-entropy', linear(x), { linearBias: torch.rand([6]) }],
  ];
}

function linear(input: torch.Tensor): Record<string, torch.Tensor> {
  return { input, linearWeight: torch.randn([6, 4]), target: torch.randint(0, 6, [rows]) };
}

test.each(Array.from({ length: 11 }, (_, i) => [i]))('loss %i', (i) => {
  torch.scope(() => {
    const [loss, name, args, options] = losses()[i] as ReturnType<typeof losses>[0];
    const [perSample, gradient] = [join(folder, 'losses.npy'), join(folder, 'gradient.npy')];
    const flags = Object.entries(args).flatMap(([key, tensor]) => {
      const path = save(key, tensor);
      return key === 'input' || key === 'target' ? [`--${key}`, path] : ['--argument', `${key}=${path}`];
    });
    const given = Object.entries(options).flatMap(([key, value]) => {
      if (key === 'reduction') return ['--reduction', String(value)];
      return ['--option', `${key}=${value instanceof torch.Tensor ? save(`option-${key}`, value) : value}`];
    });
    const outputs = ['--per-sample', perSample, '--gradient', gradient, '--batch-size', '50', '--quiet'];
    const main = join(dist, 'cli', 'main.js');
    const { stdout, ...end } = runNode(main, 'evaluate', '--loss', name, ...flags, ...given, ...outputs);
    expect(end).toEqual({ status: 0, signal: null, stderr: '' });

    const [input, ...rest] = Object.values(args) as [torch.Tensor, ...torch.Tensor[]];
    const weight = options.weight as torch.Tensor | undefined;
    const whole =
      loss === F.mseLoss ? { ...options, weight: (weight as torch.Tensor).expand(input.shape).contiguous() } : options;
    const leaf = input.detach().clone().requiresGrad_();
    const value = (loss as Call)(leaf, ...rest, whole);
    value.backward();
    expect(Number(stdout) / Number(value.item())).toBeCloseTo(1, 5);

    const each = (loss as Call)(input, ...rest, { ...whole, reduction: 'none' });
    const written = read(perSample);
    expect(written.shape).toBe(each.shape.join(', '));
    expect(torch.tensor(written.elements, { shape: each.shape }).allclose(each)).toBe(true);
    const found = read(gradient);
    expect(found.shape).toBe(input.shape.join(', '));
    const expected = leaf.grad as torch.Tensor;
    expect(torch.tensor(found.elements, { shape: input.shape }).allclose(expected, { atol: 1e-7 })).toBe(true);
  });
});

test('ctc, whose files have a row for each sequence', () => {
  torch.scope(() => {
    torch.manualSeed(5);
    const logProbs = torch.randn([rows, 9, 5]).logSoftmax(2);
    const targets = torch.randint(1, 5, [rows, 3]);
    const [inputLengths, targetLengths] = [torch.randint(7, 10, [rows]), torch.randint(0, 4, [rows])];
    const flags = ['--input', save('logProbs', logProbs), '--target', save('targets', targets)];
    const lengths = Object.entries({ inputLengths, targetLengths }).flatMap(([key, tensor]) => {
      return ['--argument', `${key}=${save(key, tensor)}`];
    });
    const main = join(dist, 'cli', 'main.js');
    for (const reduction of ['mean', 'sum'] as const) {
      const gradient = join(folder, `gradient-ctc-${reduction}.npy`);
      const outputs = ['--reduction', reduction, '--gradient', gradient, '--batch-size', '33', '--quiet'];
      const outcome = runNode(main, 'evaluate', '--loss', 'ctc', ...flags, ...lengths, ...outputs);
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      const leaf = logProbs.detach().clone().requiresGrad_();
      const value = F.ctcLoss(leaf.transpose(0, 1), targets, inputLengths, targetLengths, { reduction });
      value.backward();
      expect(Number(outcome.stdout) / Number(value.item())).toBeCloseTo(1, 5);
      const found = read(gradient);
      expect(found.shape).toBe(leaf.shape.join(', '));
      const expected = leaf.grad as torch.Tensor;
      expect(torch.tensor(found.elements, { shape: leaf.shape }).allclose(expected, { atol: 1e-7 })).toBe(true);
    }
  });
});

test.each(lossNames)('%s has its names', (name) => {
  const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const names = [name, dashed, dashed.replaceAll('-', '_'), dashed.replace(/-loss$/, ''), name.toUpperCase()];
  for (const given of names) expect(lossNamed(given).name).toBe(name);
});

test('a name that is none is refused with one that is like it', () => {
  for (const given of ['', 'mseloss2', 'crossentropie']) {
    expect(refusal(() => lossNamed(given))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  expect(refusal(() => lossNamed('crossEntropie')).message).toContain('crossEntropy');
});
