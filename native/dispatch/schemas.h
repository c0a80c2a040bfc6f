// Schemas of operators as plain objects.
#pragma once

#include "napi_setup.h"

namespace bridge {

// operatorSchemas
void RegisterSchemas(Napi::Object exports);

}  // namespace bridge
