// Typed arrays in and out, and the memory that tensors share with them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "napi_setup.h"

namespace bridge {

struct SharedMemory;

// The memory of a typed array that the tensor uses, if it does.
std::shared_ptr<SharedMemory> SharedMemoryOf(const at::Tensor& tensor);

// Throws DETACHED if the tensor shares the memory of a typed array that has lost it.
void CheckStorage(napi_env env, const at::Tensor& tensor);

// A tensor over the memory of a typed array, for the time of one native call in which no script
// runs: nobody can take the memory away meanwhile. Undefined if the array does not hold as many
// elements of the dtype, or none.
at::Tensor LendArray(napi_env env, napi_value array, at::ScalarType dtype, at::IntArrayRef sizes);

// fromBytes, share, copyTo, item
void RegisterStorage(Napi::Object exports);

}  // namespace bridge
