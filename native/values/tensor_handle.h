// How JavaScript holds a tensor: an External, with the key of a handle that owns one at::Tensor by
// value.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "environment.h"
#include "guard.h"
#include "napi_setup.h"
#include "values/tensor_table.h"

namespace bridge {

// A new handle that owns `tensor`.
napi_value WrapTensor(napi_env env, at::Tensor tensor);

// The tensor behind a handle, after the collectives that work on it; valid while the handle is
// neither collected nor disposed. Null for anything that is not a handle. Throws DISPOSED,
// DETACHED, PENDING.
const at::Tensor* FindTensor(napi_env env, napi_value value, const std::string& argument);

// The same; throws INVALID_ARGUMENT for anything that is not a handle.
const at::Tensor& UnwrapTensor(napi_env env, napi_value value, const std::string& argument);

// A list of handles. Owning copies: reading the array may run user code.
std::vector<at::Tensor> UnwrapTensors(napi_env env, napi_value value, const std::string& argument);

// A new handle whose tensor is still to be computed.
napi_value WrapPending(napi_env env, PendingTensor pending);

// The refusal of a tensor that is still to be computed.
BridgeError StillPending(const std::string& argument);

// What a handle waits for; null if its tensor is there. Throws INVALID_ARGUMENT, DISPOSED.
const PendingTensor* PendingOf(napi_env env, napi_value value, const std::string& argument);

// The tensor of a pending handle is there now. A handle that was disposed meanwhile stays so.
void ResolveTensor(napi_env env, napi_value value, at::Tensor tensor);

// Gives the tensor's memory back now. Idempotent.
void DisposeTensor(napi_env env, napi_value value);

bool IsDisposed(napi_env env, napi_value value);

}  // namespace bridge
