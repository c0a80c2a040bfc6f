/** Large cross entropies on a device are taken in chunks of rows: the same bits, and little memory beside the gradient. */
import { join } from 'node:path';
import { printedBy } from '../support/child';

const preload = join(__dirname, '..', 'support', 'device', 'preload.cjs');

interface Found {
  same: boolean[];
  /** What the peak of memory rises by, in gradients. */
  extra: number;
}

function found(dtype: string, megabytes: string): Found {
  const before = process.env.LIBTORCH_LOSSES_CUDA_PIECE_MB;
  process.env.LIBTORCH_LOSSES_CUDA_PIECE_MB = megabytes;
  try {
    return printedBy<Found>(
      `
      torch.manualSeed(1);
      const x = torch.randn([1001, 3000]).to('${dtype}');
      const y = torch.randint(0, 3000, [1001]);
      y.select(0, 7).fill_(-100);
      const [there, labels] = [x.to('cuda'), y.to('cuda')];
      const bits = (tensor) => Buffer.from(tensor.cpu().toTypedArray().buffer);
      const same = (on, off) => bits(on).equals(bits(off));
      const valueAndGrad = torch.valueAndGrad(F.crossEntropy);
      const out = { same: [], extra: 0 };
      for (const reduction of ['mean', 'sum']) {
        const [ours, theirs] = [valueAndGrad(there, labels, { reduction }), valueAndGrad(x, y, { reduction })];
        out.same.push(same(ours.value, theirs.value), same(ours.grad, theirs.grad));
      }
      for (const reduction of ['none', 'mean']) {
        out.same.push(same(F.crossEntropy(there, labels, { reduction }), F.crossEntropy(x, y, { reduction })));
      }
      gc();
      torch.cuda.resetPeakMemoryStats();
      const { current } = torch.cuda.memoryStats().allocatedBytes;
      const { grad } = valueAndGrad(there, labels);
      out.extra = (torch.cuda.memoryStats().allocatedBytes.peak - current) / (grad.numel() * (${dtype === 'float32' ? 4 : 2}));
      console.log(JSON.stringify(out));
      `,
      '--require',
      preload,
    );
  } finally {
    if (before === undefined) delete process.env.LIBTORCH_LOSSES_CUDA_PIECE_MB;
    else process.env.LIBTORCH_LOSSES_CUDA_PIECE_MB = before;
  }
}

test.each(['float32', 'bfloat16'])('%s', (dtype) => {
  const chunks = found(dtype, '0.25');
  expect(chunks.same).toEqual(new Array(6).fill(true));
  expect(chunks.extra).toBeLessThan(1.25);
  const whole = found(dtype, '1000');
  expect(whole.same).toEqual(new Array(6).fill(true));
  expect(whole.extra).toBeGreaterThan(2);
});
