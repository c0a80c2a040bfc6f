#include "environment.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <map>
#include <utility>

#include "dispatch/dispatch.h"
#include "distributed/tasks.h"
#include "guard.h"
#include "trace/background.h"
#include "trace/tracer.h"
#include "values/storage.h"

namespace bridge {

namespace {

// What V8 is told in one piece: telling it of every small tensor would cost more than making one.
constexpr int64_t kReportStep = 256 * 1024;

// The most that V8 may go on counting of what is disposed.
constexpr int64_t kMostDisposed = int64_t{1} << 30;

// What a tensor costs beside its elements: TensorImpl, StorageImpl, handle, allocator headers.
constexpr int64_t kTensorOverhead = 640;

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
  Report(env, -(bytes + kTensorOverhead));
}

void Ledger::Dispose(node_api_basic_env env, int64_t bytes) {
  tensors_ -= 1;
  bytes_ -= bytes;
  const int64_t cost = bytes + kTensorOverhead;
  const int64_t counted = std::min(cost, kMostDisposed - disposed_);
  disposed_ += counted;
  Report(env, counted - cost);
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

void SharedBuffers::Drop(const std::shared_ptr<SharedMemory>& memory) {
  const std::lock_guard lock(mutex_);
  memory->is_dropped = true;
  if (closed_) return;
  dropped_.push_back(memory->array);
  waiting_ = true;
}

void SharedBuffers::Drop(napi_ref reference) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  dropped_.push_back(reference);
  waiting_ = true;
}

void SharedBuffers::DeleteDropped(napi_env env) {
  if (!waiting_) return;
  std::vector<napi_ref> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(dropped_);
    waiting_ = false;
  }
  for (napi_ref array : dropped) napi_delete_reference(env, array);
}

void SharedBuffers::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped_.clear();
  in_graphs_.clear();
}

namespace {

// Whether the array still has the very memory that was shared: it loses it when its ArrayBuffer is
// detached, and part of it when a resizable one shrinks.
bool IsWhole(napi_env env, const SharedMemory& memory) {
  const Napi::HandleScope scope(env);
  napi_value array = nullptr;
  void* data = nullptr;
  size_t length = 0;
  return napi_get_reference_value(env, memory.array, &array) == napi_ok && array != nullptr &&
         napi_get_typedarray_info(env, array, nullptr, &length, &data, nullptr, nullptr) ==
             napi_ok &&
         data == memory.data && length >= memory.length;
}

// Whether nothing uses the memory but tensors that user code holds, and the bases of their views:
// no graph does. What user code holds is checked when it is used.
bool IsHeldByUserCodeOnly(const SharedMemory& memory) {
  // The references to each tensor that are known.
  std::map<c10::TensorImpl*, size_t> tensors;
  for (const at::Tensor* handle : memory.handles) {
    // It was given the memory of another tensor.
    if (SharedMemoryOf(*handle).get() != &memory) return false;
    const bool first = tensors[handle->unsafeGetTensorImpl()]++ == 0;
    const auto* view = torch::autograd::impl::get_view_autograd_meta(*handle);
    if (!first || view == nullptr) continue;
    if (view->has_bw_view()) {
      tensors[view->get_backward_view().base_.unsafeGetTensorImpl()] += 1;
    }
    if (view->has_fw_view() && !view->shared_view_info()) {
      tensors[view->get_forward_view().base_.unsafeGetTensorImpl()] += 1;
    }
  }
  if (tensors.empty() || (*memory.handles.begin())->storage().use_count() != tensors.size()) {
    return false;
  }
  return std::all_of(tensors.begin(), tensors.end(), [](const auto& entry) {
    return c10::raw::intrusive_ptr::use_count(entry.first) == entry.second;
  });
}

}  // namespace

void SharedBuffers::NoteGraph(const std::shared_ptr<SharedMemory>& memory) {
  if (std::exchange(memory->may_be_in_graph, true)) return;
  if (in_graphs_.size() >= forget_at_) ForgetUnused();
  in_graphs_.push_back(memory);
}

// Takes time in proportion to the list, which has to double before it is done again.
void SharedBuffers::ForgetUnused() {
  std::erase_if(in_graphs_, [](const auto& memory) {
    memory->may_be_in_graph = !memory->is_dropped && !IsHeldByUserCodeOnly(*memory);
    return !memory->may_be_in_graph;
  });
  forget_at_ = std::max(kForgetFirst, 2 * in_graphs_.size());
}

void SharedBuffers::CheckAttached(napi_env env) {
  for (const auto& memory : in_graphs_) {
    if (memory->is_dropped || IsWhole(env, *memory) || IsHeldByUserCodeOnly(*memory)) continue;
    CheckSharedMemory(env, *memory);
  }
}

void CheckSharedMemory(napi_env env, const SharedMemory& memory) {
  if (IsWhole(env, memory)) return;
  throw BridgeError("DETACHED",
                    "a tensor shares the memory of a typed array whose ArrayBuffer has been "
                    "detached or resized; use tensor() to copy instead of fromTypedArray()");
}

void WarningCollector::process(const c10::Warning& warning) { messages_.push_back(warning.msg()); }

std::vector<std::string> WarningCollector::Take() { return std::exchange(messages_, {}); }

Environment::Environment(napi_env env) : env(env) {}

void Environment::Open() {
  failed_ = Napi::Persistent(Napi::Object::New(env));
  failed_.SuppressDestruct();
}

Environment::~Environment() { shared_buffers->Close(); }

Environment& Environment::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

void Environment::Connect(const Napi::Object& hooks) {
  const Napi::Value emit_warning = hooks.Get("emitWarning");
  if (!emit_warning.IsFunction()) {
    throw BridgeError("INVALID_ARGUMENT", "connect: expected hooks.emitWarning to be a function");
  }
  emit_warning_ = Napi::Persistent(emit_warning.As<Napi::Function>());
  // At exit the reference dies with the environment, not before the handles that use it.
  emit_warning_.SuppressDestruct();
}

napi_value Environment::Fail(Failure failure) {
  failure.thrown.SuppressDestruct();
  failure_ = std::move(failure);
  return failed();
}

Napi::Array Environment::TakeFailure() {
  std::optional<Failure> failure = std::exchange(failure_, std::nullopt);
  Napi::Array result = Napi::Array::New(env);
  if (!failure) return result;
  if (!failure->thrown.IsEmpty()) {
    result = failure->thrown.Value().As<Napi::Array>();
    failure->thrown.Reset();
    return result;
  }
  uint32_t i = 0;
  for (const std::string* text :
       {&failure->code, &failure->message, &failure->op, &failure->argument}) {
    result.Set(i++, Napi::String::New(env, *text));
  }
  return result;
}

void Environment::EmitWarnings(WarningCollector& collected) {
  for (const std::string& message : collected.Take()) {
    if (!emit_warning_.IsEmpty()) emit_warning_.Value().Call({Napi::String::New(env, message)});
  }
}

Operator& Environment::Own(std::unique_ptr<Operator> op) {
  operators_.push_back(std::move(op));
  return *operators_.back();
}

}  // namespace bridge
