#include "values/tensor_handle.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "devices/devices.h"
#include "distributed/tasks.h"
#include "guard.h"
#include "trace/background.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/storage.h"

namespace bridge {

namespace {

// Made by a random generator once; tells our handles from every other External.
constexpr napi_type_tag kTensorTag = {0x8f5a1d0c6b7e4f29, 0xb3c2e97d41a05866};

// What the garbage collector should know: the bytes a tensor shows, so that views of one storage
// cannot claim it many times over.
int64_t BytesOf(const at::Tensor& tensor) {
  if (!tensor.has_storage()) return 0;
  const auto shown = static_cast<int64_t>(tensor.nbytes());
  return std::min(shown, static_cast<int64_t>(tensor.storage().nbytes()));
}

struct TensorHandle {
  at::Tensor tensor;
  std::shared_ptr<Ledger> ledger;
  int64_t bytes;
  // The typed array's memory that the tensor was made over, if it was.
  std::shared_ptr<SharedMemory> memory;
  // What the tensor is to be, while it is not there.
  std::unique_ptr<PendingTensor> pending;

  explicit TensorHandle(std::shared_ptr<Ledger> book) : ledger(std::move(book)), bytes(0) {}
  ~TensorHandle() {
    if (memory) memory->handles.erase(&tensor);
  }
  TensorHandle(const TensorHandle&) = delete;
  TensorHandle& operator=(const TensorHandle&) = delete;

  void Hold(node_api_basic_env env, at::Tensor owned) {
    tensor = std::move(owned);
    bytes = BytesOf(tensor);
    memory = SharedMemoryOf(tensor);
    if (memory) memory->handles.insert(&tensor);
    ledger->Add(env, bytes);
  }

  // Whether there was a tensor.
  bool Release() {
    pending.reset();
    if (!tensor.defined()) return false;
    if (memory) memory->handles.erase(&tensor);
    memory.reset();
    Drop(std::exchange(tensor, {}));
    return true;
  }
};

// Runs inside the garbage collection: it may only free memory and adjust the external-memory
// figure.
void Finalize(node_api_basic_env env, void* data, void* /*hint*/) {
  const std::unique_ptr<TensorHandle> handle(static_cast<TensorHandle*>(data));
  if (handle->Release()) handle->ledger->Remove(env, handle->bytes);
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
  auto* handle = FromExternal<TensorHandle>(env, value, kTensorTag);
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
  Compact(Environment::Of(env), tensor);
  auto handle = std::make_unique<TensorHandle>(Environment::Of(env).ledger);
  handle->Hold(env, std::move(tensor));
  return ToExternal(env, std::move(handle), kTensorTag, Finalize);
}

napi_value WrapPending(napi_env env, PendingTensor pending) {
  auto handle = std::make_unique<TensorHandle>(Environment::Of(env).ledger);
  handle->pending = std::make_unique<PendingTensor>(std::move(pending));
  return ToExternal(env, std::move(handle), kTensorTag, Finalize);
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
  handle.Hold(env, std::move(tensor));
}

const at::Tensor& UnwrapTensor(napi_env env, napi_value value, const std::string& argument) {
  const TensorHandle& handle = ExpectHandle(env, value, argument);
  if (handle.pending) throw StillPending(argument);
  if (!handle.tensor.defined()) throw Disposed(argument);
  CheckStorage(env, handle.tensor);
  if (handle.ledger->in_tasks > 0) Tasks::Of(env).Finish(handle.tensor);
  return handle.tensor;
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
  if (handle.Release()) handle.ledger->Dispose(env, handle.bytes);
}

bool IsDisposed(napi_env env, napi_value value) {
  const TensorHandle& handle = ExpectHandle(env, value, "tensor");
  return !handle.pending && !handle.tensor.defined();
}

}  // namespace bridge
