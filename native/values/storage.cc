#include "values/storage.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/item.h>
#include <ATen/ops/resolve_conj.h>
#include <ATen/ops/resolve_neg.h>
#include <c10/util/safe_numerics.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "guard.h"
#include "values/ivalue.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

struct Bytes {
  void* data;
  size_t size;
};

size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      // A kind that is newer than these headers: its callers pass a Uint16Array or Uint8Array view.
      throw Refused("array", "a typed array of a known kind", std::to_string(type));
  }
}

Bytes BytesOfArray(napi_env env, napi_value value) {
  bool is_typed_array = false;
  napi_is_typedarray(env, value, &is_typed_array);
  if (!is_typed_array) throw Refused("array", "a typed array", Describe(env, value));
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    throw Refused("array", "a readable typed array", Describe(env, value));
  }
  return {data, length * ElementSize(type)};
}

// The bytes that a shape needs; refuses shapes that overflow or are negative.
size_t BytesOfShape(const std::vector<int64_t>& shape, at::ScalarType dtype) {
  auto bytes = static_cast<int64_t>(c10::elementSize(dtype));
  for (const int64_t size : shape) {
    if (size < 0 || c10::mul_overflows(bytes, size, &bytes)) {
      throw Refused("shape", "sizes >= 0 whose product fits in memory", std::to_string(size));
    }
  }
  return static_cast<size_t>(bytes);
}

// Whether other threads can write to the memory of a typed array while native code reads it.
bool IsSharedBetweenThreads(napi_env env, napi_value buffer) {
  // Node gives a SharedArrayBuffer, too, which is not an ArrayBuffer.
  bool is_array_buffer = false;
  napi_is_arraybuffer(env, buffer, &is_array_buffer);
  return !is_array_buffer;
}

struct NewTensor {
  Bytes bytes;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
};

// (array, dtype, shape) of fromBytes and share
NewTensor ReadNewTensor(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  // The shape is an array, whose reading may run user code; the memory is looked up after that.
  const std::vector<int64_t> shape = ReadInts(env, info[2], "shape");
  const at::ScalarType dtype = ReadScalarType(env, info[1], "dtype");
  const Bytes bytes = BytesOfArray(env, info[0]);
  const size_t needed = BytesOfShape(shape, dtype);
  if (bytes.size != needed) {
    throw Refused("array", std::to_string(needed) + " bytes long", std::to_string(bytes.size));
  }
  return {bytes, dtype, shape};
}

// fromBytes(array, dtype, shape): a new tensor with a copy of the array's bytes
Napi::Value FromBytes(const Napi::CallbackInfo& info) {
  const NewTensor made = ReadNewTensor(info);
  const at::Tensor tensor = at::empty(made.shape, at::TensorOptions(made.dtype));
  if (made.bytes.size > 0) std::memcpy(tensor.mutable_data_ptr(), made.bytes.data, made.bytes.size);
  return {info.Env(), WrapTensor(info.Env(), tensor)};
}

// What keeps a shared typed array alive while any tensor uses its memory.
struct SharedArray {
  std::shared_ptr<SharedMemory> memory;
  std::shared_ptr<SharedBuffers> buffers;
};

// The deleter of shared storage, by whose address CheckStorage knows it. Runs on any thread.
void DropShared(void* context) {
  const std::unique_ptr<SharedArray> shared(static_cast<SharedArray*>(context));
  shared->buffers->Drop(shared->memory);
}

// share(array, dtype, shape): a tensor over the array's own memory
Napi::Value Share(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const NewTensor made = ReadNewTensor(info);
  if (made.bytes.size == 0) return FromBytes(info);
  const size_t size = c10::elementSize(made.dtype);
  if (reinterpret_cast<uintptr_t>(made.bytes.data) % size != 0) {
    throw Refused("array", "aligned to its element size", "an unaligned view");
  }
  napi_ref reference = nullptr;
  if (napi_create_reference(env, info[0], 1, &reference) != napi_ok) throw Napi::Error::New(env);
  auto buffers = Environment::Of(env).shared_buffers;
  size_t length = 0;
  napi_get_typedarray_info(env, info[0], nullptr, &length, nullptr, nullptr, nullptr);
  auto memory = std::make_shared<SharedMemory>(reference, made.bytes.data, length);
  auto context = std::make_unique<SharedArray>(SharedArray{std::move(memory), std::move(buffers)});
  const at::Tensor tensor = at::for_blob(made.bytes.data, made.shape)
                                .context(context.release(), &DropShared)
                                .options(at::TensorOptions(made.dtype))
                                .make_tensor();
  return {env, WrapTensor(env, tensor)};
}

// copyTo(tensor, array): the elements in row-major order, into a typed array of the same byte
// length
Napi::Value CopyTo(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const at::NoGradGuard no_grad;
  const at::Tensor source =
      UnwrapTensor(env, info[0], "tensor").resolve_conj().resolve_neg().cpu().contiguous();
  const Bytes bytes = BytesOfArray(env, info[1]);
  if (bytes.size != source.nbytes()) {
    throw Refused("array", std::to_string(source.nbytes()) + " bytes long",
                  std::to_string(bytes.size));
  }
  // Zeros without memory, which automatic differentiation makes.
  if (source._is_zerotensor()) {
    std::memset(bytes.data, 0, bytes.size);
    return info.Env().Undefined();
  }
  // They overlap where the tensor shares the array's memory.
  if (bytes.size > 0) std::memmove(bytes.data, source.const_data_ptr(), bytes.size);
  return info.Env().Undefined();
}

// item(tensor): the only element as number, bigint (beyond 2^53) or boolean
Napi::Value Item(const Napi::CallbackInfo& info) {
  return {info.Env(), ScalarToJs(info.Env(), UnwrapTensor(info.Env(), info[0], "tensor").item())};
}

}  // namespace

at::Tensor ViewOfArray(napi_env env, napi_value array) {
  const Bytes bytes = BytesOfArray(env, array);
  return at::from_blob(bytes.data, {static_cast<int64_t>(bytes.size)},
                       at::TensorOptions(at::kByte));
}

at::Tensor BorrowArray(napi_env env, napi_value array, at::ScalarType dtype,
                       at::IntArrayRef sizes) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, &buffer, nullptr) != napi_ok ||
      length == 0 || data == nullptr ||
      static_cast<int64_t>(length) != c10::multiply_integers(sizes)) {
    return {};
  }
  const bool fits = (type == napi_float32_array && dtype == at::kFloat) ||
                    (type == napi_float64_array && dtype == at::kDouble) ||
                    (type == napi_bigint64_array && dtype == at::kLong);
  if (!fits) return {};
  const at::Tensor view = at::for_blob(data, sizes).options(at::TensorOptions(dtype)).make_tensor();
  return dtype == at::kLong || IsSharedBetweenThreads(env, buffer) ? view.clone() : view;
}

std::shared_ptr<SharedMemory> SharedMemoryOf(const at::Tensor& tensor) {
  if (!tensor.has_storage()) return nullptr;
  const c10::DataPtr& data = tensor.storage().data_ptr();
  if (data.get_deleter() != &DropShared) return nullptr;
  return static_cast<SharedArray*>(data.get_context())->memory;
}

bool SharesArray(const at::Tensor& tensor) {
  bool shares = false;
  ForEachPart(tensor, [&](const at::Tensor& part) { shares |= SharedMemoryOf(part) != nullptr; });
  return shares;
}

void CheckStorage(napi_env env, const at::Tensor& tensor) {
  ForEachPart(tensor, [&](const at::Tensor& part) {
    const auto memory = SharedMemoryOf(part);
    if (memory == nullptr) return;
    CheckSharedMemory(env, *memory);
    if (at::GradMode::is_enabled()) Environment::Of(env).shared_buffers->NoteGraph(memory);
  });
}

void NoteInGraph(napi_env env, const at::Tensor& tensor) {
  ForEachPart(tensor, [&](const at::Tensor& part) {
    if (const auto memory = SharedMemoryOf(part)) {
      Environment::Of(env).shared_buffers->NoteGraph(memory);
    }
  });
}

void RegisterStorage(Napi::Object exports) {
  Export<FromBytes>(exports, "fromBytes");
  Export<Share>(exports, "share");
  Export<CopyTo>(exports, "copyTo");
  Export<Item>(exports, "item");
}

}  // namespace bridge
