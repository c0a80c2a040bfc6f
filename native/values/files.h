// Bytes of files in the memory of tensors: read, or mapped.
#pragma once

#include "napi_setup.h"

namespace bridge {

// readFile, mapFile, lostMappings; nothing on Windows, where an addon cannot use the descriptors of
// Node
void RegisterFiles(Napi::Object exports);

}  // namespace bridge
