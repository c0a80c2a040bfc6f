import { nn, type Tensor } from 'libtorch-losses';
import { classCount, pixelCount } from './data';

const F = nn.functional;

/** Units of the hidden layer. */
export const hiddenCount = 32;

/** Two linear layers with a ReLU between: images `[N, 64]` to logits `[N, 10]`. */
export class Classifier extends nn.Module {
  readonly hidden = new nn.Linear(pixelCount, hiddenCount);
  readonly output = new nn.Linear(hiddenCount, classCount);

  override forward(images: Tensor): Tensor {
    return this.output.forward(F.relu(this.hidden.forward(images)));
  }
}
