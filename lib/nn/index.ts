/** The classes of `torch.nn`; the functions are in {@link functional}. */
export * as functional from './functional';
export { type DimOptions, LogSoftmax, ReLU, Sigmoid, Softmax } from './modules/activation';
export { BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, NLLLoss } from './modules/classification';
export { KLDivLoss } from './modules/distribution';
export { Linear, type LinearOptions } from './modules/linear';
export { Module } from './modules/module';
