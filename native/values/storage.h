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

// A borrowed view: a tensor over the memory of a typed array, for the time of one native call in
// which no user code runs, so that nobody can take the memory away meanwhile. Undefined if the
// array does not hold as many elements of the dtype, or none.
//
// It is a copy where another thread may write to the memory while a kernel reads it: kernels check
// labels once and then trust them. That is a SharedArrayBuffer, and any array of integers, which
// the operating system may be reading a file into.
at::Tensor BorrowArray(napi_env env, napi_value array, at::ScalarType dtype, at::IntArrayRef sizes);

// The bytes of a typed array as a borrowed view.
at::Tensor ViewOfArray(napi_env env, napi_value array);

// fromBytes, share, copyTo, item
void RegisterStorage(Napi::Object exports);

}  // namespace bridge
