/** What `torch.utils` has. */
/** Which elements of a data set a process takes, as `torch.utils.data`. */
export * as data from './data';
