// Values of libtorch that JavaScript holds but cannot look into: random generators, storages, and
// objects of the classes that libraries register.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <string>

#include "napi_setup.h"

namespace bridge {

// Throws INVALID_ARGUMENT for anything but a generator of ours.
const at::Generator& UnwrapGenerator(napi_env env, napi_value value, const std::string& argument);

// A new handle of a value that is neither a tensor nor data.
napi_value WrapObject(napi_env env, const c10::IValue& value);

// A value of any type of a schema. Throws INVALID_ARGUMENT for a value of another type.
c10::IValue ToIValueOfType(napi_env env, napi_value value, const c10::TypePtr& type,
                           const std::string& argument);

// newGenerator, defaultGenerator, manualSeedGenerator, …, storage
void RegisterObjects(Napi::Object exports);

}  // namespace bridge
