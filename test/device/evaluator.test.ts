/** Losses in batches on devices: the figures of the CPU, on one device and on two, whatever the size of the batches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { type Evaluated as EvaluatedFiles, evaluateFiles } from '../../lib/evaluate/evaluation';
import { bitsOf } from '../../lib/parity/bits';
import { type Evaluated, evaluatedLosses, evaluatedNames, feed, inBatches, rowCount } from '../support/batches';
import { quietly } from '../support/conditions';
import { devices, fake } from '../support/device';
import { folder as folderOf } from '../support/folder';

quietly();

const [first, second] = devices;
const cuts: readonly (readonly number[])[] = [[rowCount], [37, 100, 1], [63, 1, 2, 77]];
const evaluated = new Map(evaluatedLosses('float32').map((one) => [one.name, one]));

/** Copies of the batches, each on the next of some devices: where memory begins decides the bits of matrix products. */
function* on(where: readonly torch.Device[], batches: Iterable<torch.Tensor[]>): Generator<torch.Tensor[]> {
  let turn = 0;
  for (const batch of batches) {
    const device = where[turn++ % where.length] as torch.Device;
    yield batch.map((tensor) => tensor.to({ device, copy: true }));
  }
}

function evaluate({ description, options }: Evaluated, batches: Iterable<torch.Tensor[]>) {
  return feed(new torch.BatchEvaluator(description.loss, options, { keepLosses: true, details: true }), batches);
}

describe.each(evaluatedNames)('%s', (name) => {
  const own = evaluated.get(name) as Evaluated;

  test('on a device each loss and the figures are those of the CPU, however the data is cut', () => {
    torch.scope(() => {
      for (const sizes of cuts) {
        const onDevice = evaluate(own, on([first], inBatches(own, sizes)));
        const onCpu = evaluate(own, on(['cpu'], inBatches(own, sizes)));
        expect(bitsOf(onDevice.losses())).toEqual(bitsOf(onCpu.losses()));
        expect(onDevice.result()).toEqual(onCpu.result());
      }
    });
  });

  test('off the main thread it is the same', async () => {
    const { description, options } = own;
    const expected = torch.scope(() => evaluate(own, on(['cpu'], inBatches(own, [100, 43]))).result());
    const evaluator = new torch.BatchEvaluator(description.loss, options, { details: true });
    const before = fake.kernels(0);
    await Promise.all([...on([first], inBatches(own, [100, 43]))].map((batch) => evaluator.updateAsync(...batch)));
    expect(evaluator.result()).toEqual(expected);
    expect(fake.kernels(0)).toBeGreaterThan(before);
  });

  test('on two devices in turn the figures are those of one call but for the rounding of a batch', () => {
    torch.scope(() => {
      const expected = evaluate(own, inBatches(own, [rowCount])).result();
      const result = evaluate(own, on([first, second], inBatches(own, [64, 64, 15]))).result();
      expect(result.count).toBe(expected.count);
      expect(Math.abs(result.loss - expected.loss)).toBeLessThanOrEqual(1e-6 * Math.abs(expected.loss));
    });
  });
});

test('plain data beside scores on a device goes there', () => {
  const scores = torch.rand([40, 5]);
  const labels = Array.from({ length: 40 }, (_, i) => i % 5);
  const [there, here] = [scores.to({ device: first }), scores].map((input) =>
    new torch.BatchEvaluator(torch.nn.functional.crossEntropy, { weight: [1, 2, 3, 4, 5] })
      .update(input, labels)
      .result(),
  );
  expect(there).toEqual(here);
});

describe('files', () => {
  const data = join(__dirname, '../data/digits');
  const folder = folderOf();

  const evaluation = (
    where: readonly torch.Device[],
    batchRows: number | undefined,
    outputs = false,
  ): Promise<EvaluatedFiles> =>
    evaluateFiles({
      loss: 'crossEntropy',
      arguments: { input: [join(data, 'logits.npy')], target: [join(data, 'labels.npy')] },
      options: { labelSmoothing: 0.1, weight: join(data, 'weight.npy') },
      groups: [join(data, 'groups.npy')],
      perSample: outputs ? join(folder.path, 'losses.npy') : undefined,
      gradient: outputs ? join(folder.path, 'gradient.npy') : undefined,
      predictions: true,
      details: true,
      devices: where,
      batchRows,
      dtype: undefined,
      standardInput: undefined,
      onProgress: () => {},
      signal: new AbortController().signal,
    });

  test.each([[[first]], [[first, second]]])('on %j, in batches of any size', async (where) => {
    const { result: expected } = await evaluation(['cpu'], undefined);
    const before = [fake.kernels(0), fake.kernels(1)];
    for (const batchRows of [undefined, 1000, 64, 7]) {
      const { result } = await evaluation(where, batchRows);
      expect(result).toEqual(expected);
    }
    for (const [i] of where.entries()) expect(fake.kernels(i)).toBeGreaterThan(before[i] as number);
  });

  test('with what is written of them', async () => {
    const written = async (where: readonly torch.Device[]): Promise<Buffer[]> => {
      await evaluation(where, 100, true);
      return ['losses.npy', 'gradient.npy'].map((name) => readFileSync(join(folder.path, name)));
    };
    const onDevices = await written([first, second]);
    expect(onDevices).toEqual(await written(['cpu']));
  });
});
