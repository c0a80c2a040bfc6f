/** Processes that work together. **Source**: `torch.distributed`. */
export {
  allGather,
  allGatherIntoTensor,
  allReduce,
  allToAll,
  allToAllSingle,
  barrier,
  broadcast,
  gather,
  irecv,
  isend,
  monitoredBarrier,
  ReduceOp,
  recv,
  reduce,
  reduceScatter,
  reduceScatterTensor,
  scatter,
  send,
} from './collectives';
export {
  allGatherObject,
  broadcastObjectList,
  gatherObject,
  recvObjectList,
  scatterObjectList,
  sendObjectList,
} from './objects';
export {
  destroyProcessGroup,
  getBackend,
  getGlobalRank,
  getGroupRank,
  getProcessGroupRanks,
  getRank,
  getWorldSize,
  type InitProcessGroupOptions,
  initProcessGroup,
  isInitialized,
  isTorchelasticLaunched,
  type NewGroupOptions,
  newGroup,
  ProcessGroup,
} from './process-group';
export { FileStore, HashStore, isAvailable, PrefixStore, Store, TCPStore, type TCPStoreOptions } from './stores';
export { Work } from './work';
