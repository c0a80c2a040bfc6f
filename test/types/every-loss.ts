/** What the compiler must refuse of every loss there is, checked over the names themselves. Nothing here runs. */
import type { nn, OptionsOf, Reduction, Tensor } from 'libtorch-losses';

type Functions = typeof nn.functional;
type Classes = Omit<typeof nn, 'functional'>;

/** Losses are the functions with other forms. */
type Loss = { [Name in keyof Functions]: Functions[Name] extends { item: unknown } ? Name : never }[keyof Functions];
type Options<Name extends Loss> = Exclude<OptionsOf<Functions[Name]>, undefined>;
type Given<Name extends Loss> = Parameters<Functions[Name]>['length'];

type LossClass = Extract<keyof Classes, `${string}Loss`>;
type ClassOptions<Name extends LossClass> = Extract<ConstructorParameters<Classes[Name]>[0], object | undefined>;

/** Compiles where no name is left over; else the error names those that are. */
type Nobody<Names> = [Names] extends [never] ? true : Names;

export const manyLosses: 'crossEntropy' | 'ctcLoss' | 'tripletMarginWithDistanceLoss' extends Loss ? true : false =
  true;
export const manyClasses: 'CrossEntropyLoss' | 'CTCLoss' | 'BCEWithLogitsLoss' extends LossClass ? true : false = true;

export const everyReduction: Nobody<
  { [Name in Loss]: { reduction: Reduction } extends Options<Name> ? never : Name }[Loss]
> = true;
export const noOtherReduction: Nobody<
  { [Name in Loss]: { reduction: 'average' } extends Options<Name> ? Name : never }[Loss]
> = true;
export const noTextForReduction: Nobody<
  { [Name in Loss]: { reduction: string } extends Options<Name> ? Name : never }[Loss]
> = true;
export const batchmeanOnlyHere: Nobody<
  Exclude<{ [Name in Loss]: { reduction: 'batchmean' } extends Options<Name> ? Name : never }[Loss], 'klDiv'>
> = true;

export const noUnderscores: Nobody<
  { [Name in Loss]: Extract<keyof Options<Name>, `${string}_${string}` | 'sizeAverage' | 'reduce'> }[Loss]
> = true;
export const noAnyKey: Nobody<{ [Name in Loss]: string extends keyof Options<Name> ? Name : never }[Loss]> = true;

export const noLossOfNothing: Nobody<{ [Name in Loss]: 0 extends Given<Name> ? Name : never }[Loss]> = true;
export const noLossOfInputAlone: Nobody<{ [Name in Loss]: 1 extends Given<Name> ? Name : never }[Loss]> = true;
export const allGiveTensors: Nobody<
  { [Name in Loss]: ReturnType<Functions[Name]> extends Tensor ? never : Name }[Loss]
> = true;

export const noOtherReductionOfClasses: Nobody<
  { [Name in LossClass]: { reduction: 'average' } extends ClassOptions<Name> ? Name : never }[LossClass]
> = true;

// The checks can fail: a name that is left over is not `true`.
// @ts-expect-error: crossEntropy is left over
export const somebody: Nobody<'crossEntropy'> = true;
