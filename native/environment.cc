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
#include "values/tensor_table.h"

namespace bridge {

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
  tensors = std::make_shared<TensorTable>();
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
  const auto hook = [&](const char* name) {
    const Napi::Value value = hooks.Get(name);
    if (!value.IsFunction()) {
      throw BridgeError("INVALID_ARGUMENT",
                        std::string("connect: expected hooks.") + name + " to be a function");
    }
    auto reference = Napi::Persistent(value.As<Napi::Function>());
    // At exit the reference dies with the environment, not before the handles that use it.
    reference.SuppressDestruct();
    return reference;
  };
  emit_warning_ = hook("emitWarning");
  collect_young_ = hook("collectYoung");
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

void Environment::CollectDropped() {
  Ledger& ledger = tensors->ledger;
  if (!ledger.IsCollectionDue() || collect_young_.IsEmpty()) return;
  const Napi::HandleScope scope(env);
  const int64_t before = ledger.Weight();
  collect_young_.Value().Call({});
  ledger.NoteCollection(before);
}

Operator& Environment::Own(std::unique_ptr<Operator> op) {
  operators_.push_back(std::move(op));
  return *operators_.back();
}

}  // namespace bridge
