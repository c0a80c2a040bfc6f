// Whether two tensors use the same memory.
#pragma once

#include <ATen/core/Tensor.h>

#include "napi_setup.h"

namespace bridge {

enum class Overlap : uint32_t {
  kNone,
  // Every element lies where the other tensor's element of the same index lies.
  kSame,
  kPartial,
};

Overlap OverlapOf(const at::Tensor& a, const at::Tensor& b);

// overlap
void RegisterOverlap(Napi::Object exports);

}  // namespace bridge
