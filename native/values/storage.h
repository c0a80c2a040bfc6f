// Typed arrays in and out, and the memory that tensors share with them.
#pragma once

#include <ATen/SparseCsrTensorImpl.h>
#include <ATen/SparseTensorImpl.h>
#include <ATen/core/Tensor.h>

#include <memory>

#include "napi_setup.h"

namespace bridge {

struct SharedMemory;

// The memory of a typed array that the tensor uses, if it does.
std::shared_ptr<SharedMemory> SharedMemoryOf(const at::Tensor& tensor);

// Calls `visit` with every tensor whose memory this one shows: itself, or the parts of a sparse
// one.
template <typename Visit>
void ForEachPart(const at::Tensor& tensor, const Visit& visit) {
  switch (tensor.layout()) {
    case at::kSparse: {
      const auto* sparse = static_cast<at::SparseTensorImpl*>(tensor.unsafeGetTensorImpl());
      visit(sparse->indices());
      visit(sparse->values());
      return;
    }
    case at::kSparseCsr:
    case at::kSparseCsc:
    case at::kSparseBsr:
    case at::kSparseBsc: {
      const auto* sparse = static_cast<at::SparseCsrTensorImpl*>(tensor.unsafeGetTensorImpl());
      visit(sparse->compressed_indices());
      visit(sparse->plain_indices());
      visit(sparse->values());
      return;
    }
    default:
      visit(tensor);
  }
}

// Whether the tensor, or part of it, uses the memory of a typed array.
bool SharesArray(const at::Tensor& tensor);

// Throws DETACHED if the tensor shares the memory of a typed array that has lost it.
void CheckStorage(napi_env env, const at::Tensor& tensor);

// A graph may hold the tensor from here on: backward passes look whether its memory is there.
// CheckStorage does that for operands while graphs are recorded.
void NoteInGraph(napi_env env, const at::Tensor& tensor);

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
