// What belongs to the process or the environment and to no tensor: hooks, versions, threads, seed,
// devices, memory figures.
#pragma once

#include "napi_setup.h"

namespace bridge {

void RegisterRuntime(Napi::Object exports);

}  // namespace bridge
