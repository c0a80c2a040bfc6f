/** Losses over more data than one call can take. */
export { BatchEvaluator, type BatchEvaluatorOptions } from './batch-evaluator';
export type { BatchOf, OptionsOf } from './losses';
export type {
  CalibrationBin,
  ClassificationResult,
  ClassResult,
  EvaluationResult,
  GroupResult,
  HistogramBin,
  WorstSample,
} from './result';
export type { EvaluatorState } from './state';
