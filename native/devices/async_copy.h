// Copies from a device to the CPU that do not block the JavaScript thread.
#pragma once

#include "napi_setup.h"

namespace bridge {

// asyncCopy
void RegisterAsyncCopy(Napi::Object exports);

}  // namespace bridge
