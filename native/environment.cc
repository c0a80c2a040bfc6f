#include "environment.h"

#include <algorithm>
#include <utility>

#include "dispatch.h"
#include "guard.h"

namespace bridge {

namespace {

// What V8 is told in one piece: telling it of every small tensor would cost more than making one.
constexpr int64_t kReportStep = 256 * 1024;

// What a tensor costs beside its elements: TensorImpl, StorageImpl, handle, allocator headers.
constexpr int64_t kTensorOverhead = 640;

}  // namespace

void Ledger::Add(node_api_basic_env env, int64_t bytes) {
  tensors_ += 1;
  bytes_ += bytes;
  Report(env, bytes + kTensorOverhead);
}

void Ledger::Remove(node_api_basic_env env, int64_t bytes) {
  tensors_ -= 1;
  bytes_ -= bytes;
  Report(env, -(bytes + kTensorOverhead));
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

void SharedBuffers::Drop(napi_ref array) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  dropped_.push_back(array);
  waiting_ = true;
}

void SharedBuffers::Add(napi_ref array) {
  const std::lock_guard lock(mutex_);
  live_.push_back(array);
}

void SharedBuffers::DeleteDropped(napi_env env) {
  if (!waiting_) return;
  std::vector<napi_ref> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(dropped_);
    waiting_ = false;
    for (napi_ref array : dropped) std::erase(live_, array);
  }
  for (napi_ref array : dropped) napi_delete_reference(env, array);
}

void SharedBuffers::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped_.clear();
  live_.clear();
}

void SharedBuffers::CheckAttached(napi_env env) {
  std::vector<napi_ref> live;
  {
    const std::lock_guard lock(mutex_);
    live = live_;
  }
  for (napi_ref array : live) CheckSharedArray(env, array);
}

void CheckSharedArray(napi_env env, napi_ref reference) {
  const Napi::HandleScope scope(env);
  napi_value array = nullptr;
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_reference_value(env, reference, &array) != napi_ok || array == nullptr ||
      napi_get_typedarray_info(env, array, nullptr, &length, &data, nullptr, nullptr) != napi_ok ||
      length == 0) {
    throw BridgeError("DETACHED",
                      "a tensor shares the memory of a typed array whose ArrayBuffer has been "
                      "detached or resized; use tensor() to copy instead of fromTypedArray()");
  }
}

void WarningCollector::process(const c10::Warning& warning) { messages_.push_back(warning.msg()); }

std::vector<std::string> WarningCollector::Take() { return std::exchange(messages_, {}); }

Environment::Environment(napi_env env) : env(env) {}

Environment::~Environment() { shared_buffers->Close(); }

Environment& Environment::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

void Environment::Connect(const Napi::Object& hooks) {
  const auto function = [&](const char* name) {
    const Napi::Value value = hooks.Get(name);
    if (!value.IsFunction()) {
      throw BridgeError("INVALID_ARGUMENT",
                        std::string("connect: expected hooks.") + name + " to be a function");
    }
    return Napi::Persistent(value.As<Napi::Function>());
  };
  make_error_ = function("makeError");
  emit_warning_ = function("emitWarning");
  // At exit the references die with the environment, not before the handles that use them.
  make_error_.SuppressDestruct();
  emit_warning_.SuppressDestruct();
}

napi_value Environment::MakeError(const std::string& code, const std::string& message,
                                  const std::string& op, const std::string& argument) const {
  if (make_error_.IsEmpty()) return Napi::Error::New(env, message).Value();
  const auto text = [&](const std::string& value) -> napi_value {
    if (value.empty()) return Napi::Env(env).Undefined();
    return Napi::String::New(env, value);
  };
  return make_error_.Value().Call({text(code), text(message), text(op), text(argument)});
}

void Environment::EmitWarnings() {
  for (const std::string& message : warnings.Take()) {
    if (!emit_warning_.IsEmpty()) emit_warning_.Value().Call({Napi::String::New(env, message)});
  }
}

Operator& Environment::Own(std::unique_ptr<Operator> op) {
  operators_.push_back(std::move(op));
  return *operators_.back();
}

}  // namespace bridge
