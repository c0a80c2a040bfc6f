import type { Tensor } from 'libtorch-losses';
import * as torch from 'libtorch-losses';
import { type Digits, pixelCount } from './data';
import type { Classifier } from './model';

const F = torch.nn.functional;

/** What the run is made of; train.py has the same figures. */
export const settings = { batch: 32, learningRate: 0.05, momentum: 0.9, heldOut: 360 } as const;

/** Images `[N, 64]` with their classes `[N]`. */
export interface Examples {
  count: number;
  images: Tensor;
  classes: Tensor;
}

/** Shuffles the images with the seeded generator and holds some of them out. */
export function split(digits: Digits): { training: Examples; heldOut: Examples } {
  const { count } = digits;
  return torch.scope(() => {
    const images = torch.tensor(digits.pixels, { shape: [count, pixelCount] });
    const classes = torch.tensor(digits.classes, { dtype: 'int64' });
    const order = torch.randperm(count);
    const part = (start: number, length: number): Examples => {
      const rows = order.narrow(0, start, length);
      return {
        count: length,
        images: images.indexSelect(0, rows),
        classes: classes.indexSelect(0, rows),
      };
    };
    return { heldOut: part(0, settings.heldOut), training: part(settings.heldOut, count - settings.heldOut) };
  });
}

/** Batches in one epoch; the last may be smaller. */
export function batchesOf(examples: Examples): number {
  return Math.ceil(examples.count / settings.batch);
}

/** Goes once through the examples in a new order and gives the loss of every batch. */
export function trainEpoch(
  model: Classifier,
  optimizer: torch.optim.Optimizer,
  { count, images, classes }: Examples,
  onBatch: () => void,
): Float32Array {
  const losses: number[] = [];
  torch.scope(() => {
    const order = torch.randperm(count);
    for (let start = 0; start < count; start += settings.batch) {
      const rows = order.narrow(0, start, Math.min(settings.batch, count - start));
      losses.push(trainBatch(model, optimizer, images, classes, rows));
      onBatch();
    }
  });
  return Float32Array.from(losses);
}

function trainBatch(
  model: Classifier,
  optimizer: torch.optim.Optimizer,
  images: Tensor,
  classes: Tensor,
  rows: Tensor,
): number {
  return torch.scope(() => {
    optimizer.zeroGrad();
    const logits = model.forward(images.indexSelect(0, rows));
    const loss = F.crossEntropy(logits, classes.indexSelect(0, rows));
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}
