// Transfers of tensors to a device that run beside its computing.
#pragma once

#include "napi_setup.h"

namespace bridge {

// startTransfer, finishTransfer
void RegisterStaging(Napi::Object exports);

}  // namespace bridge
