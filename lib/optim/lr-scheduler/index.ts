/** Schedules of learning rates, as `torch.optim.lr_scheduler`. */
export { ChainedScheduler, SequentialLR } from './compositions';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './cosine';
export { CyclicLR, OneCycleLR, type ScaleFn } from './cycles';
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LrLambda,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './factors';
export { ReduceLROnPlateau } from './plateau';
export { LRScheduler, type SchedulerStateDict } from './scheduler';
