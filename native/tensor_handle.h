// How JavaScript holds a tensor: an External with a type tag that owns one at::Tensor by value.
//
// The tag is what makes a handle of another addon, or any other External, a thrown error instead of
// corrupted memory. A disposed handle stays a handle whose tensor is undefined.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// A new handle that owns `tensor`.
napi_value WrapTensor(napi_env env, at::Tensor tensor);

// The tensor behind a handle; valid while the handle is neither collected nor disposed.
// Throws INVALID_ARGUMENT for anything that is no handle, DISPOSED, DETACHED.
const at::Tensor& UnwrapTensor(napi_env env, napi_value value, const std::string& argument);

// A list of handles. Owning copies: reading the array may run scripts.
std::vector<at::Tensor> UnwrapTensors(napi_env env, napi_value value, const std::string& argument);

// Gives the tensor's memory back now. Idempotent.
void DisposeTensor(napi_env env, napi_value value);

bool IsDisposed(napi_env env, napi_value value);

}  // namespace bridge
