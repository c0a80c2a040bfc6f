// Collectives of process groups: operators of c10d, each a task.
#pragma once

#include "napi_setup.h"

namespace bridge {

// collective
void RegisterCollectives(Napi::Object exports);

}  // namespace bridge
