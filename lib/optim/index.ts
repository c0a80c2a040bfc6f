/** Optimizers, as `torch.optim`. */
export { Adam, AdamW } from './adam';
export type { GroupInput, Named, ParamGroup, Params } from './groups';
export type { HookHandle, HookOptions } from './hooks';
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
export { SGD } from './sgd';
export type { OptimizerStateDict, ParameterState } from './state-dict';
