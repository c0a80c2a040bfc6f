// What a tensor says of itself, and the few things that are set on it outside operators.
#pragma once

#include "napi_setup.h"

namespace bridge {

// shape, strides, dtype, device, requiresGrad, isLeaf, gradFn, gradient, … dispose, isDisposed
void RegisterProperties(Napi::Object exports);

}  // namespace bridge
