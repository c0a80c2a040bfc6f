// Tensors on their way to a device, copied while the device computes something else.
#pragma once

#include "napi_setup.h"

namespace bridge {

// stage, arrive
void RegisterStaging(Napi::Object exports);

}  // namespace bridge
