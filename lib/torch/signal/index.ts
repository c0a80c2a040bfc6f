/** Signal processing, as `torch.signal`. */

/** Windows, as `torch.signal.windows`. */
export * as windows from './windows';
