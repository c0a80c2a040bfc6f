#include "values/tensor_table.h"

#include <algorithm>
#include <random>
#include <utility>

#include "devices/devices.h"
#include "environment.h"
#include "values/storage.h"

namespace bridge {

namespace {

// What V8 is told in one piece: telling it of every small tensor would cost more than making one.
constexpr int64_t kReportStep = 256 * 1024;

// The most that V8 may go on counting of what is disposed.
constexpr int64_t kMostDisposed = int64_t{1} << 30;

// What a tensor costs beside its elements: TensorImpl, StorageImpl, handle, allocator headers.
constexpr int64_t kTensorOverhead = 640;

// What the garbage collector should know: the bytes a tensor shows, so that views of one storage
// cannot claim it many times over.
int64_t BytesOf(const at::Tensor& tensor) {
  if (!tensor.has_storage()) return 0;
  const auto shown = static_cast<int64_t>(tensor.nbytes());
  return std::min(shown, static_cast<int64_t>(tensor.storage().nbytes()));
}

// No address: those of programs do not reach the upper half.
uintptr_t RandomKey() {
  std::random_device random;
  const auto high = static_cast<uintptr_t>(random() | 0x80000000U);
  return high << 32 | static_cast<uintptr_t>(random() & 0x7fffffffU);
}

}  // namespace

void Ledger::Add(node_api_basic_env env, int64_t bytes) {
  tensors_ += 1;
  bytes_ += bytes;
  const int64_t cost = bytes + kTensorOverhead;
  const int64_t counted = std::min(cost, disposed_);
  disposed_ -= counted;
  Report(env, cost - counted);
}

void Ledger::Remove(node_api_basic_env env, int64_t bytes) {
  tensors_ -= 1;
  bytes_ -= bytes;
  kept_ = std::min(kept_, Weight());
  Report(env, -(bytes + kTensorOverhead));
}

void Ledger::Dispose(node_api_basic_env env, int64_t bytes) {
  tensors_ -= 1;
  bytes_ -= bytes;
  kept_ = std::min(kept_, Weight());
  const int64_t cost = bytes + kTensorOverhead;
  const int64_t counted = std::min(cost, kMostDisposed - disposed_);
  disposed_ += counted;
  Report(env, counted - cost);
}

void Ledger::NoteCollection(int64_t before) {
  const bool was_worth_it = 2 * (before - Weight()) >= before - kept_;
  step_ = was_worth_it ? kLeastStep : std::min(2 * step_, kMostStep);
  kept_ = Weight();
}

void Ledger::Report(node_api_basic_env env, int64_t change) {
  unreported_ += change;
  if (unreported_ < kReportStep && unreported_ > -kReportStep) return;
  // Taken before the call: telling V8 of more memory may collect garbage at once, and the
  // finalizers that this runs come back here. They must only ever report less, since more would
  // start a collection inside the collection.
  const int64_t reported = std::exchange(unreported_, 0);
  int64_t total = 0;
  napi_adjust_external_memory(env, reported, &total);
}

void TensorHandle::Hold(at::Tensor owned) {
  tensor = std::move(owned);
  bytes = BytesOf(tensor);
  memory = SharedMemoryOf(tensor);
  if (memory) memory->handles.insert(&tensor);
}

bool TensorHandle::Release() {
  pending.reset();
  if (!tensor.defined()) return false;
  if (memory) memory->handles.erase(&tensor);
  memory.reset();
  Drop(std::exchange(tensor, {}));
  return true;
}

TensorTable::TensorTable() : first_key_(RandomKey()) {}

TensorHandle* TensorTable::Take() {
  if (free_ == nullptr) {
    auto& block = blocks_.emplace_back(std::make_unique<TensorHandle[]>(kBlock));
    for (size_t i = kBlock; i-- > 0;) {
      block[i].index = kBlock * (blocks_.size() - 1) + i;
      block[i].next = std::exchange(free_, &block[i]);
    }
  }
  if (taken_++ == 0) self_ = shared_from_this();
  return std::exchange(free_, free_->next);
}

void TensorTable::Return(TensorHandle* handle) {
  handle->next = std::exchange(free_, handle);
  // Kept until this function is done.
  std::shared_ptr<TensorTable> self;
  if (--taken_ == 0) self = std::move(self_);
}

}  // namespace bridge
