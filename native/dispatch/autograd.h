// Gradients, and the modes that turn their recording off.
#pragma once

#include "napi_setup.h"

namespace bridge {

// backward, grad, withGradMode, withInferenceMode, isGradEnabled, isInferenceModeEnabled
void RegisterAutograd(Napi::Object exports);

}  // namespace bridge
