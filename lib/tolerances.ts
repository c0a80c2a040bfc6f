/** How near results must be, by dtype. */
import type { DType } from './types';

/** How far apart two numbers may be: `|actual - expected| <= absolute + relative * |expected|`. */
export interface Tolerance {
  relative: number;
  absolute: number;
}

/** PyTorch's own tolerances (`torch.testing.assert_close`); other dtypes must be equal. */
export const tolerances: Partial<Record<DType, Tolerance>> = {
  float64: { relative: 1e-7, absolute: 1e-7 },
  float32: { relative: 1.3e-6, absolute: 1e-5 },
  float16: { relative: 1e-3, absolute: 1e-5 },
  bfloat16: { relative: 1.6e-2, absolute: 1e-5 },
};
