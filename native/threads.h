// How many threads libtorch uses for what.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

namespace bridge {

// Keeps work on few elements on the thread it is called on: waking another one for it takes longer
// than the work. The bits stay: kernels that add in an order that depends on the number of threads
// do so from 32,768 elements on.
class OneThread {
 public:
  explicit OneThread(bool is_small);
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = 1;
};

// Whether the values are tensors of few elements altogether, and others that hold none.
bool AreSmall(const c10::IValue* values, size_t count);

}  // namespace bridge
