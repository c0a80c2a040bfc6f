#include "tensor_handle.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "guard.h"
#include "storage.h"

namespace bridge {

namespace {

// Made by a random generator once; tells our handles from every other External.
constexpr napi_type_tag kTensorTag = {0x8f5a1d0c6b7e4f29, 0xb3c2e97d41a05866};

struct TensorHandle {
  at::Tensor tensor;
  std::shared_ptr<Ledger> ledger;
  int64_t bytes;
  // The typed array's memory that the tensor was made over, if it was.
  std::shared_ptr<SharedMemory> memory;

  TensorHandle(at::Tensor owned, std::shared_ptr<Ledger> book, int64_t size)
      : tensor(std::move(owned)), ledger(std::move(book)), bytes(size) {
    memory = SharedMemoryOf(tensor);
    if (memory) memory->handles.push_back(&tensor);
  }
  ~TensorHandle() {
    if (memory) std::erase(memory->handles, &tensor);
  }
  TensorHandle(const TensorHandle&) = delete;
  TensorHandle& operator=(const TensorHandle&) = delete;

  void Release(node_api_basic_env env) {
    if (!tensor.defined()) return;
    if (memory) std::erase(memory->handles, &tensor);
    memory.reset();
    tensor.reset();
    ledger->Remove(env, bytes);
  }
};

// Runs inside the garbage collection: it may only free memory and adjust the external-memory
// figure.
void Finalize(node_api_basic_env env, void* data, void* /*hint*/) {
  const std::unique_ptr<TensorHandle> handle(static_cast<TensorHandle*>(data));
  handle->Release(env);
}

// What the garbage collector should know: the bytes a tensor shows, so that views of one storage
// cannot claim it many times over.
int64_t BytesOf(const at::Tensor& tensor) {
  if (!tensor.has_storage()) return 0;
  const auto shown = static_cast<int64_t>(tensor.nbytes());
  return std::min(shown, static_cast<int64_t>(tensor.storage().nbytes()));
}

TensorHandle* FromExternal(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  bool ours = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_check_object_type_tag(env, value, &kTensorTag, &ours) != napi_ok || !ours ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    return nullptr;
  }
  return static_cast<TensorHandle*>(data);
}

TensorHandle& ExpectHandle(napi_env env, napi_value value, const std::string& argument) {
  TensorHandle* handle = FromExternal(env, value);
  if (handle == nullptr) throw Refused(argument, "a Tensor", Describe(env, value));
  return *handle;
}

}  // namespace

napi_value WrapTensor(napi_env env, at::Tensor tensor) {
  Environment& environment = Environment::Of(env);
  const int64_t bytes = BytesOf(tensor);
  auto handle = std::make_unique<TensorHandle>(std::move(tensor), environment.ledger, bytes);
  napi_value external = nullptr;
  if (napi_create_external(env, handle.get(), Finalize, nullptr, &external) != napi_ok) {
    throw Napi::Error::New(env);
  }
  // From here on the finalizer owns the handle.
  environment.ledger->Add(env, bytes);
  handle.release();
  if (napi_type_tag_object(env, external, &kTensorTag) != napi_ok) throw Napi::Error::New(env);
  return external;
}

const at::Tensor& UnwrapTensor(napi_env env, napi_value value, const std::string& argument) {
  const TensorHandle& handle = ExpectHandle(env, value, argument);
  if (!handle.tensor.defined()) {
    throw BridgeError(
        "DISPOSED",
        "expected '" + argument + "' to be a live tensor, but received one that was disposed",
        argument);
  }
  CheckStorage(env, handle.tensor);
  return handle.tensor;
}

std::vector<at::Tensor> UnwrapTensors(napi_env env, napi_value value, const std::string& argument) {
  const Napi::Value list(env, value);
  if (!list.IsArray()) throw Refused(argument, "an array of Tensors", Describe(env, value));
  const auto array = list.As<Napi::Array>();
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
  ExpectHandle(env, value, "tensor").Release(env);
}

bool IsDisposed(napi_env env, napi_value value) {
  return !ExpectHandle(env, value, "tensor").tensor.defined();
}

}  // namespace bridge
