/** What `torch.utils.data` has. */
export { DistributedSampler, type DistributedSamplerOptions, type Sized } from './distributed-sampler';
