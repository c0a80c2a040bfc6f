import type { Tensor } from 'libtorch-losses';
import * as torch from 'libtorch-losses';
import * as reference from 'libtorch-losses/reference';
import { classCount } from './data';
import type { Classifier } from './model';
import type { Examples } from './training';

const F = torch.nn.functional;

/** Mean loss over some images, and how many of them are recognised. */
export interface Figures {
  loss: number;
  correct: number;
  count: number;
}

/** Figures over all held-out images and over those of each class. */
export interface Evaluation {
  all: Figures;
  byClass: Figures[];
}

/** What the model makes of the examples, over all of them. */
export function evaluate(model: Classifier, { images, classes }: Examples): Figures {
  return torch.noGrad(() => torch.scope(() => figures(model.forward(images), classes)));
}

/** The same, and by class: once by libtorch's kernels in float32, once by the TypeScript reference in float64. */
export function evaluateByClass(
  model: Classifier,
  { images, classes }: Examples,
): { native: Evaluation; reference: Evaluation } {
  return torch.noGrad(() =>
    torch.scope(() => {
      const logits = model.forward(images);
      const scores = logits.toTypedArray<Float32Array>();
      const targets = Array.from(classes.toTypedArray(), Number);
      const members = Array.from({ length: classCount }, (_, digit) => rowsOf(targets, digit));
      return {
        native: {
          all: figures(logits, classes),
          byClass: members.map((rows) => {
            const index = torch.tensor(rows, { dtype: 'int64' });
            return figures(logits.indexSelect(0, index), classes.indexSelect(0, index));
          }),
        },
        reference: {
          all: referenceFigures(scores, targets, [...targets.keys()]),
          byClass: members.map((rows) => referenceFigures(scores, targets, rows)),
        },
      };
    }),
  );
}

function figures(logits: Tensor, classes: Tensor): Figures {
  return {
    loss: F.crossEntropy(logits, classes).item(),
    correct: logits.argmax(1).eq(classes).sum().item(),
    count: classes.numel(),
  };
}

function referenceFigures(scores: Float32Array, targets: readonly number[], rows: readonly number[]): Figures {
  const logits = rows.map((row) => Array.from(scores.subarray(row * classCount, (row + 1) * classCount)));
  const classes = rows.map((row) => targets[row] as number);
  return {
    loss: reference.crossEntropy(logits, classes).item(),
    correct: logits.filter((row, i) => row.indexOf(Math.max(...row)) === classes[i]).length,
    count: rows.length,
  };
}

function rowsOf(targets: readonly number[], digit: number): number[] {
  return [...targets.keys()].filter((row) => targets[row] === digit);
}
