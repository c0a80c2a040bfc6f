// What operators write to, kept from crossing its bounds: some kernels trust the memory that they
// are given.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <vector>

namespace bridge {

// Whether an operator writes to an argument, or a result is such an argument.
bool IsWritten(const c10::Argument& argument);

// What an operator writes to, by its schema.
struct Outputs {
  explicit Outputs(const c10::OperatorHandle& handle);

  // The arguments that it writes to, and those of an out= form: the only ones that libtorch would
  // resize.
  std::vector<size_t> written;
  std::vector<size_t> outs;
  // Whether its only result is an argument that it has written to.
  bool returns_argument;
  // Whether results may show memory of arguments.
  bool gives_views;
  // Element by element, through libtorch's iterator, which knows strides and refuses overlaps.
  bool pointwise;
  // Whether what it writes to may be of another shape, or in other memory, afterwards.
  bool changes_shape;
};

// Calls the operator.
//
// Invariants, whatever the kernel does (test/unit/torch/ops-memory.test.ts):
// - a tensor of an out= form keeps its shape: libtorch resizes one that does not fit, and leaves it
//   larger than its memory if that cannot grow;
// - one that shows an element twice is refused, as libtorch's iterator does; one that is not
//   contiguous, or that overlaps another argument, is computed apart and copied;
// - integers that overlap what is written are read from a copy: kernels check them once;
// - no result reaches beyond its memory.
void CallOperator(const c10::OperatorHandle& handle, const Outputs& outputs,
                  torch::jit::Stack& stack);

// The last of them, for an operator that is called in another way.
void CheckResult(const at::Tensor& result);

}  // namespace bridge
