#include "views.h"

#include <ATen/EmptyTensor.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <utility>

#include "runtime.h"
#include "streams.h"

namespace fake_device {

namespace {

void ShapeLike(const at::Tensor& made, const at::Tensor& like) {
  made.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(),
                                                    like.storage_offset());
}

bool IsOnDevice(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == kType;
}

}  // namespace

at::Tensor CopyToDevice(const at::Tensor& tensor, c10::Device device) {
  at::Tensor copy =
      at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(device));
  const size_t bytes =
      at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(), tensor.itemsize());
  if (tensor.numel() > 0) std::memcpy(copy.mutable_data_ptr(), tensor.const_data_ptr(), bytes);
  return copy;
}

c10::Storage CpuViews::StorageOf(const c10::Storage& storage) {
  const auto found = storages_.find(storage.unsafeGetStorageImpl());
  if (found != storages_.end()) return found->second;
  const c10::Device cpu(c10::DeviceType::CPU);
  void* data = storage.mutable_data();
  // Kernels resize what they write to; what is new is the CPU's own then.
  c10::Storage made(c10::Storage::use_byte_size_t(), storage.nbytes(), c10::DataPtr(data, cpu),
                    c10::GetCPUAllocator(), /*resizable=*/true);
  storages_.emplace(storage.unsafeGetStorageImpl(), made);
  return made;
}

at::Tensor CpuViews::Of(const at::Tensor& tensor) {
  if (!IsOnDevice(tensor)) return tensor;
  for (const Pair& pair : pairs_) {
    if (pair.original.is_same(tensor)) return pair.view;
  }
  at::Tensor view = at::detail::make_tensor<c10::TensorImpl>(
      StorageOf(tensor.storage()), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  ShapeLike(view, tensor);
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) {
    view.unsafeGetTensorImpl()->set_wrapped_number(true);
  }
  pairs_.push_back({tensor, view});
  return view;
}

at::Tensor CpuViews::Back(const at::Tensor& result, c10::Device device) {
  if (!result.defined() || !result.device().is_cpu() || !result.has_storage()) return result;
  for (const Pair& pair : pairs_) {
    if (pair.view.is_same(result)) return pair.original;
    if (pair.view.storage().is_alias_of(result.storage())) {
      // Its keys, too: in inference mode a view of another tensor is none of inference itself.
      at::Tensor alias = at::detail::make_tensor<c10::TensorImpl>(
          c10::TensorImpl::VIEW, c10::Storage(pair.original.storage()), pair.original.key_set(),
          result.dtype());
      ShapeLike(alias, result);
      return alias;
    }
  }
  return CopyToDevice(result, device);
}

void CpuViews::ResizeOriginals() {
  for (const auto& [original, view] : pairs_) {
    const c10::Storage storage = original.storage();
    const void* own = view.storage().data();
    if (own != storage.data()) {
      const size_t bytes = view.storage().nbytes();
      ResizeStorage(storage, bytes);
      if (bytes > 0) std::memcpy(storage.mutable_data(), own, bytes);
    }
    if (original.sizes() != view.sizes() || original.strides() != view.strides()) {
      original.unsafeGetTensorImpl()->set_sizes_and_strides(view.sizes(), view.strides(),
                                                            view.storage_offset());
    }
  }
}

}  // namespace fake_device
