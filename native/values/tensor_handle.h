// How JavaScript holds a tensor: an External with a type tag that owns one at::Tensor by value.
//
// The tag is what makes a handle of another addon, or any other External, a thrown error instead of
// corrupted memory. A disposed handle stays a handle whose tensor is undefined.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "environment.h"
#include "guard.h"
#include "napi_setup.h"

namespace bridge {

class Tracer;

// A tensor that is still to be computed: a value of a traced program that has not run.
struct PendingTensor {
  std::shared_ptr<Tracer> tracer;
  size_t value_id;
};

// A new handle that owns `tensor`.
napi_value WrapTensor(napi_env env, at::Tensor tensor);

// The tensor behind a handle, after the collectives that work on it; valid while the handle is
// neither collected nor disposed. Throws INVALID_ARGUMENT for anything that is not a handle,
// DISPOSED, DETACHED, PENDING.
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
