/** The linear layer, with its derivatives. */
import { NdArray } from './ndarray';

/** The scores of a linear layer, `[N, O]`, and the way back from their gradient. */
export interface LinearLayer {
  readonly value: NdArray;
  backward(g: NdArray): LinearGradients;
}

/** Gradients by the input `[N, K]`, the weight `[O, K]` and the bias `[O]`. */
export interface LinearGradients {
  readonly input: NdArray;
  readonly weight: NdArray;
  readonly bias: NdArray;
}

/**
 * y_no = Σ_k x_nk w_ok + b_o for x `[N, K]`, w `[O, K]` and b `[O]`, and the gradients by all three, given that by y:
 * g w, gᵀ x, and g summed over the rows.
 */
export function linear(x: NdArray, w: NdArray, b?: NdArray): LinearLayer {
  const [rows, features] = x.shape as [number, number];
  const outputs = w.shape[0] as number;
  /** Calls `visit` for every product in the sum, with the flat positions of its y, x and w. */
  const forEachProduct = (visit: (y: number, xi: number, wi: number) => void): void => {
    for (let n = 0; n < rows; n++) {
      for (let o = 0; o < outputs; o++) {
        for (let k = 0; k < features; k++) visit(n * outputs + o, n * features + k, o * features + k);
      }
    }
  };
  const value = NdArray.zeros([rows, outputs]);
  if (b !== undefined) for (let y = 0; y < value.size; y++) value.data[y] = b.at(y % outputs);
  forEachProduct((y, xi, wi) => {
    value.data[y] = value.at(y) + x.at(xi) * w.at(wi);
  });
  return {
    value,
    backward: (g) => {
      const gradients = {
        input: NdArray.zeros(x.shape),
        weight: NdArray.zeros(w.shape),
        bias: NdArray.zeros([outputs]),
      };
      const { input, weight, bias } = gradients;
      forEachProduct((y, xi, wi) => {
        input.data[xi] = input.at(xi) + g.at(y) * w.at(wi);
        weight.data[wi] = weight.at(wi) + g.at(y) * x.at(xi);
      });
      for (let y = 0; y < g.size; y++) bias.data[y % outputs] = bias.at(y % outputs) + g.at(y);
      return gradients;
    },
  };
}
