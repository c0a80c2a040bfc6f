// Elements on their way from a device, read without making the JavaScript thread wait.
#pragma once

#include "napi_setup.h"

namespace bridge {

// fetch
void RegisterReading(Napi::Object exports);

}  // namespace bridge
