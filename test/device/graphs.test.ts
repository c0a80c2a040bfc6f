/** What the cases are too small for, or do not ask for: chunks, chunks, and one device after the other. */
import * as torch from '../../lib';
import { bitsOf, difference } from '../../lib/parity/bits';
import { quietly } from '../support/conditions';
import { devices, fake } from '../support/device';

quietly();

const F = torch.nn.functional;
const [first, second] = devices;

/** Random numbers, and labels, the same on every device. */
const normal = (...shape: number[]): torch.Tensor => torch.randn(shape);
const labels = (count: number, classes: number): torch.Tensor => torch.randint(0, classes, [count]);

describe('linearCrossEntropy in chunks, whose gradients are computed by a script', () => {
  const [x, w, target] = [normal(6, 5), normal(7, 5), labels(6, 7)];

  function gradients(device: torch.Device, reduction: 'none' | 'mean' | 'sum', allowRetainGraph: boolean): unknown[] {
    const [input, weight] = [x, w].map((leaf) => leaf.to({ device, copy: true }).requiresGrad_()) as [
      torch.Tensor,
      torch.Tensor,
    ];
    const options = { batchChunkSize: 2, allowRetainGraph };
    const loss = F.linearCrossEntropy(input, weight, target.to(device), { options, reduction });
    expect(loss.device).toBe(device);
    loss.mul(2).sum().backward();
    return [loss.detach(), input.grad, weight.grad].map((found) => bitsOf(found as torch.Tensor));
  }

  test.each(['none', 'mean', 'sum'] as const)('%s', (reduction) => {
    for (const kept of [false, true]) {
      const expected = gradients('cpu', reduction, kept);
      expect(gradients(first, reduction, kept)).toEqual(expected);
      expect(gradients(second, reduction, kept)).toEqual(expected);
    }
  });
});

test('a backward pass over two devices and the CPU gives each its gradient', () => {
  const leaves = [...devices, 'cpu'].map((device) => torch.tensor([1, 2], { device, requiresGrad: true }));
  const [a, b, c] = leaves as [torch.Tensor, torch.Tensor, torch.Tensor];
  a.to(second).mul(b).to('cpu').mul(c).sum().backward();
  expect(leaves.map(({ grad }) => grad?.device)).toEqual([first, second, 'cpu']);
  expect(leaves.map(({ grad }) => grad?.toArray())).toEqual(new Array(3).fill([1, 4]));
});

test('a loss that was recorded for one device runs on the others as well', () => {
  const [x, target] = [normal(4, 3), labels(4, 3)];
  const expected = F.crossEntropy.item(x, target);
  const items = [first, second, 'cpu', first, second].map((device) =>
    F.crossEntropy.item(x.to(device), target.to(device)),
  );
  expect(items).toEqual(new Array(5).fill(expected));
  const before = fake.kernels(1);
  F.crossEntropy.item(x.to(second), target.to(second));
  expect(fake.kernels(1)).toBeGreaterThan(before);
});

describe.each(['float32', 'float64'] as const)('%s: inputs that the CPU takes in chunks', (dtype) => {
  const rows = 700;
  const classes = 1000;
  const [x, target] = [torch.randn([rows, classes], { dtype }), labels(rows, classes)];

  test.each(['mean', 'sum'] as const)('%s', (reduction) => {
    const [onCpu, onDevice] = ['cpu', first].map((device) => {
      const [input, index] = [x.to(device), target.to(device)];
      const { value, grad } = torch.valueAndGrad(F.crossEntropy)(input, index, { reduction });
      const ofProbabilities = torch.valueAndGrad(F.crossEntropy)(input, input.softmax(1), { reduction }).grad;
      const bce = torch.valueAndGrad(F.binaryCrossEntropyWithLogits);
      const elementwise = bce(input, input.sigmoid(), { reduction }).grad;
      const found = { value, grad, ofProbabilities, elementwise };
      expect(Object.values(found).map((tensor) => tensor.device)).toEqual(new Array(4).fill(device));
      return Object.entries(found).map(([name, tensor]) => [name, bitsOf(tensor)] as const);
    });
    const wrong = onDevice?.map(([name, bits], i) => difference(name, bits, onCpu?.[i]?.[1] as typeof bits));
    expect(wrong).toEqual(new Array(4).fill(undefined));
  });
});
