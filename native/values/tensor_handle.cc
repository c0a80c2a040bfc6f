#include "values/tensor_handle.h"

#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <memory>
#include <utility>

#include "devices/devices.h"
#include "distributed/tasks.h"
#include "guard.h"
#include "trace/background.h"
#include "values/ivalue.h"
#include "values/storage.h"

namespace bridge {

namespace {

// Runs inside the garbage collection: it may only free memory and adjust the external-memory
// figure.
void Finalize(node_api_basic_env env, void* key, void* hint) {
  auto* table = static_cast<TensorTable*>(hint);
  TensorHandle* handle = table->Find(key);
  if (handle->Release()) table->ledger.Remove(env, handle->bytes);
  table->Return(handle);
}

// The External of a handle that was taken.
napi_value ToExternal(napi_env env, TensorTable& table, TensorHandle* handle) {
  napi_value external = nullptr;
  void* key = table.KeyOf(*handle);
  if (napi_create_external(env, key, Finalize, &table, &external) == napi_ok) return external;
  Finalize(env, key, &table);
  throw Napi::Error::New(env);
}

TensorHandle* FindHandle(napi_env env, napi_value value) {
  void* key = nullptr;
  if (napi_get_value_external(env, value, &key) != napi_ok) return nullptr;
  return Environment::Of(env).tensors->Find(key);
}

// Some kernels leave their only element in memory of the size of what they reduced (mse_loss). If
// nobody else shows that memory, the element moves out of it.
void Compact(const Environment& environment, const at::Tensor& tensor) {
  constexpr size_t kLarge = 4096;
  if (tensor.numel() != 1 || !tensor.has_storage() || !tensor.is_cpu()) return;
  const c10::Storage& storage = tensor.storage();
  if (storage.nbytes() < kLarge || storage.use_count() != 1 || tensor.storage_offset() != 0 ||
      SharedMemoryOf(tensor) || IsUsed(environment, tensor)) {
    return;
  }
  c10::DataPtr own = c10::GetCPUAllocator()->allocate(tensor.nbytes());
  std::memcpy(own.get(), tensor.const_data_ptr(), tensor.nbytes());
  storage.set_data_ptr(std::move(own));
  storage.unsafeGetStorageImpl()->set_nbytes(tensor.nbytes());
}

TensorHandle& ExpectHandle(napi_env env, napi_value value, const std::string& argument) {
  TensorHandle* handle = FindHandle(env, value);
  if (handle == nullptr) throw Refused(argument, "a Tensor", Describe(env, value));
  return *handle;
}

BridgeError Disposed(const std::string& argument) {
  return {"DISPOSED",
          "expected '" + argument + "' to be a live tensor, but received one that was disposed",
          argument};
}

}  // namespace

BridgeError StillPending(const std::string& argument) {
  return {"PENDING",
          "expected '" + argument +
              "' to be a tensor that is there, but received one that is still to be computed; "
              "await the promise, and read no elements in a function that runs off the main thread",
          argument};
}

napi_value WrapTensor(napi_env env, at::Tensor tensor) {
  Environment& environment = Environment::Of(env);
  Compact(environment, tensor);
  TensorTable& table = *environment.tensors;
  TensorHandle* handle = table.Take();
  handle->Hold(std::move(tensor));
  table.ledger.Add(env, handle->bytes);
  napi_value external = ToExternal(env, table, handle);
  environment.CollectDropped();
  return external;
}

napi_value WrapPending(napi_env env, PendingTensor pending) {
  TensorTable& table = *Environment::Of(env).tensors;
  TensorHandle* handle = table.Take();
  handle->pending = std::make_unique<PendingTensor>(std::move(pending));
  return ToExternal(env, table, handle);
}

const PendingTensor* PendingOf(napi_env env, napi_value value, const std::string& argument) {
  const TensorHandle& handle = ExpectHandle(env, value, argument);
  if (handle.pending) return handle.pending.get();
  if (!handle.tensor.defined()) throw Disposed(argument);
  return nullptr;
}

void ResolveTensor(napi_env env, napi_value value, at::Tensor tensor) {
  TensorHandle& handle = ExpectHandle(env, value, "tensor");
  if (!handle.pending) return;
  handle.pending.reset();
  handle.Hold(std::move(tensor));
  Environment::Of(env).tensors->ledger.Add(env, handle.bytes);
}

const at::Tensor* FindTensor(napi_env env, napi_value value, const std::string& argument) {
  void* key = nullptr;
  if (napi_get_value_external(env, value, &key) != napi_ok) return nullptr;
  const TensorTable& table = *Environment::Of(env).tensors;
  const TensorHandle* handle = table.Find(key);
  if (handle == nullptr) return nullptr;
  if (handle->pending) throw StillPending(argument);
  if (!handle->tensor.defined()) throw Disposed(argument);
  CheckStorage(env, handle->tensor);
  if (table.ledger.in_tasks > 0) Tasks::Of(env).Finish(handle->tensor);
  return &handle->tensor;
}

const at::Tensor& UnwrapTensor(napi_env env, napi_value value, const std::string& argument) {
  const at::Tensor* tensor = FindTensor(env, value, argument);
  if (tensor == nullptr) throw Refused(argument, "a Tensor", Describe(env, value));
  return *tensor;
}

std::vector<at::Tensor> UnwrapTensors(napi_env env, napi_value value, const std::string& argument) {
  const Napi::Array array = ExpectArray(env, value, argument, "an array of Tensors");
  std::vector<at::Tensor> tensors;
  tensors.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(env);
    const napi_value element = array.Get(i);
    tensors.push_back(UnwrapTensor(env, element, argument + "[" + std::to_string(i) + "]"));
  }
  return tensors;
}

void DisposeTensor(napi_env env, napi_value value) {
  TensorHandle& handle = ExpectHandle(env, value, "tensor");
  if (handle.Release()) Environment::Of(env).tensors->ledger.Dispose(env, handle.bytes);
}

bool IsDisposed(napi_env env, napi_value value) {
  const TensorHandle& handle = ExpectHandle(env, value, "tensor");
  return !handle.pending && !handle.tensor.defined();
}

}  // namespace bridge
