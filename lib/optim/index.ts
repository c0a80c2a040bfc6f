/** Optimizers, as `torch.optim`. */
export { Adadelta } from './adadelta';
export { Adafactor } from './adafactor';
export { Adagrad } from './adagrad';
export { Adam, AdamW } from './adam';
export { Adamax } from './adamax';
export type { Numeric } from './arithmetic';
export { ASGD } from './asgd';
export type { GroupInput, Named, ParamGroup, Params } from './groups';
export type { HookHandle, HookOptions } from './hooks';
export { LBFGS } from './lbfgs';
/** Schedules of learning rates, as `torch.optim.lr_scheduler`. */
export * as lrScheduler from './lr-scheduler';
export { Muon } from './muon';
export { NAdam } from './nadam';
export {
  type Closure,
  Optimizer,
  type OptimizerHook,
  registerOptimizerStepPostHook,
  registerOptimizerStepPreHook,
  type StateDictHook,
  type StepPostHook,
  type StepPreHook,
} from './optimizer';
export type { GivenOptions, Option, Options, OptionValues } from './options';
export { RAdam } from './radam';
export { RMSprop } from './rmsprop';
export { Rprop } from './rprop';
export { SGD } from './sgd';
export { SparseAdam } from './sparse-adam';
export type { OptimizerStateDict, ParameterState } from './state-dict';
/** Averages of weights, as `torch.optim.swa_utils`. */
export * as swaUtils from './swa-utils';
