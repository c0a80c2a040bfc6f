// The tensors that an environment's JavaScript holds, and what V8 is told of their memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "napi_setup.h"

namespace bridge {

class Tracer;
struct SharedMemory;

// A tensor that is still to be computed: a value of a traced program that has not run.
struct PendingTensor {
  std::shared_ptr<Tracer> tracer;
  size_t value_id;
};

// Live tensors of an environment. Touched on its JavaScript thread only; finalizers run there too.
class Ledger {
 public:
  void Add(node_api_basic_env env, int64_t bytes);
  // One that the collector has freed.
  void Remove(node_api_basic_env env, int64_t bytes);
  // One that user code has disposed of. V8 goes on counting its memory, for the next tensors of
  // that size: each time that it hears of more, it collects garbage, of which there is none here.
  void Dispose(node_api_basic_env env, int64_t bytes);

  // Whether so much came since the last collection of young objects that another one pays.
  bool IsCollectionDue() const { return Weight() - kept_ >= step_; }
  // One has run, before which the weight was this much. Where little was dropped, the next waits.
  void NoteCollection(int64_t before);
  // In bytes. What a small tensor costs is not its elements.
  int64_t Weight() const { return bytes_ + tensors_ * kTensorWeight; }

  // How often memory of tensors is used by tasks that have not ended; see distributed/tasks.h.
  size_t in_tasks = 0;

  int64_t tensors() const { return tensors_; }
  int64_t bytes() const { return bytes_; }

 private:
  // Collections come at least this far apart: a thousand small tensors.
  static constexpr int64_t kTensorWeight = int64_t{32} << 10;
  static constexpr int64_t kLeastStep = int64_t{32} << 20;
  static constexpr int64_t kMostStep = int64_t{1} << 30;

  void Report(node_api_basic_env env, int64_t change);

  // The weight that the last collection left, and how much more brings on the next.
  int64_t kept_ = 0;
  int64_t step_ = kLeastStep;
  int64_t tensors_ = 0;
  int64_t bytes_ = 0;
  int64_t unreported_ = 0;
  // Of disposed tensors, and V8 still counts them.
  int64_t disposed_ = 0;
};

// What one External owns. A disposed handle stays a handle whose tensor is undefined.
struct TensorHandle {
  at::Tensor tensor;
  int64_t bytes = 0;
  // The typed array's memory that the tensor was made over, if it was.
  std::shared_ptr<SharedMemory> memory;
  // What the tensor is to be, while it is not there.
  std::unique_ptr<PendingTensor> pending;
  // Its place in the table, and the next free handle; the latter only while this one is free.
  size_t index = 0;
  TensorHandle* next = nullptr;

  void Hold(at::Tensor owned);
  // Whether there was a tensor.
  bool Release();
};

// The handles of an environment, in blocks that stay where they are.
//
// An External holds the key of a handle and not its address: keys count from a random number on, so
// that what another addon or environment has made is an error instead of corrupted memory.
class TensorTable : public std::enable_shared_from_this<TensorTable> {
 public:
  TensorTable();

  // A handle for a new External.
  TensorHandle* Take();
  // One whose External is gone. The table may be gone then, too.
  void Return(TensorHandle* handle);

  void* KeyOf(const TensorHandle& handle) const {
    return reinterpret_cast<void*>(first_key_ + handle.index);
  }
  // The handle of a key; null if it has none.
  TensorHandle* Find(const void* key) const {
    const uintptr_t index = reinterpret_cast<uintptr_t>(key) - first_key_;
    if (index >= kBlock * blocks_.size()) return nullptr;
    return &blocks_[index / kBlock][index % kBlock];
  }

  Ledger ledger;

 private:
  static constexpr size_t kBlock = 512;

  const uintptr_t first_key_;
  std::vector<std::unique_ptr<TensorHandle[]>> blocks_;
  TensorHandle* free_ = nullptr;
  size_t taken_ = 0;
  // Itself while handles are taken, which may outlive the environment.
  std::shared_ptr<TensorTable> self_;
};

}  // namespace bridge
