// The engine of DistributedDataParallel: c10d's Reducer, which reduces gradients in buckets while
// the backward pass computes them.
#pragma once

#include "napi_setup.h"

namespace bridge {

// verifyParameters, broadcastCoalesced, newReducer, prepareForForward, prepareForBackward, …
void RegisterReducer(Napi::Object exports);

}  // namespace bridge
