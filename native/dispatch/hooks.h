// Functions of users that see the gradient of a tensor in a backward pass, and may change it.
#pragma once

#include "napi_setup.h"

namespace bridge {

// registerHook, removeHook
void RegisterHooks(Napi::Object exports);

}  // namespace bridge
