/** Files of PyTorch, by the names of Python's `torch.serialization`. */
export { type LoadOptions, load, type MapLocation } from './load';
export { Float } from './python-types';
export { save, toBytes } from './save';
