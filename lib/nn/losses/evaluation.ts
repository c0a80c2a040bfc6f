/** How losses are evaluated in batches: what a sample is, and what `'mean'` divides by. */

/** What `'mean'` divides the sum of the losses by. */
export type Denominator =
  /** The number of losses. */
  | 'count'
  /** The sum of the targets' class weights, ignored targets left out; the number of losses for probabilities. */
  | 'class weights'
  /** The sum of the weights of all elements, if there are any. */
  | 'element weights'
  /** The number of losses, each of which is divided by its target's length before. */
  | 'target lengths';

/** How one loss is evaluated in batches. */
export interface Evaluation {
  /** Whether a sample has one loss, or each of its elements. */
  readonly lossesOf: 'samples' | 'elements';
  /** Arguments that are the same for every batch. */
  readonly constant?: readonly string[];
  /** The dimension of each argument along which the samples lie; 0 where it is not named. */
  readonly batchDim?: Readonly<Record<string, number>>;
  /** Default `'count'`. */
  readonly denominator?: Denominator;
  /** Whether the option `weight` has the shape of the first argument. */
  readonly weighsElements?: boolean;
  /** The dimensions of the first argument where the call has no batch but a single sample. Default 1 for samples, else 0. */
  readonly sampleDims?: number;
  /** What the target holds, if not elements like those of the first argument. */
  readonly target?: 'classes or probabilities' | 'indices' | 'elements';
  /** What the first argument holds for each class, where predictions can be made of it. */
  readonly scores?: 'logits' | 'log-probabilities';
}
