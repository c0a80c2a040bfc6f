/** Tensors in .safetensors files, by the names of Python's `safetensors` and `safetensors.torch`. */
export type { Metadata, NamedTensors } from '../tensor-maps';
export { type LoadModelOptions, loadModel, type Stateful, saveModel } from './model';
export type { SafetensorsLoadOptions, SafetensorsSaveOptions } from './options';
export { SafeOpen, type SafeOpenOptions, SafeSlice, safeOpen } from './safe-open';
export { load, loadFile, save, saveFile } from './save-load';
export { loadSharded, type SaveShardedOptions, saveSharded } from './sharded';
