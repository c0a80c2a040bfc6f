#include "kernels.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/item.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "fallback.h"
#include "memory.h"
#include "streams.h"
#include "views.h"

namespace fake_device {

namespace {

c10::Device Wanted(std::optional<c10::Device> device) {
  const c10::Device wanted = device.value_or(c10::Device(kType));
  return wanted.has_index() ? wanted : c10::Device(kType, CurrentDevice());
}

void CheckOptions(std::optional<c10::Layout> layout, std::optional<bool> pinned) {
  TORCH_CHECK(layout.value_or(at::kStrided) == at::kStrided,
              "this device has strided tensors only");
  TORCH_CHECK(!pinned.value_or(false), "Only dense CPU tensors can be pinned");
}

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::CUDA);

at::Tensor Empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
                 std::optional<c10::Layout> layout, std::optional<c10::Device> device,
                 std::optional<bool> pinned, std::optional<at::MemoryFormat> format) {
  CheckOptions(layout, pinned);
  const c10::DeviceGuard guard(Wanted(device));
  return at::detail::empty_generic(size, &DeviceMemory(), kKeys, c10::dtype_or_default(dtype),
                                   format);
}

at::Tensor EmptyStrided(at::IntArrayRef size, at::IntArrayRef stride,
                        std::optional<at::ScalarType> dtype, std::optional<c10::Layout> layout,
                        std::optional<c10::Device> device, std::optional<bool> pinned) {
  CheckOptions(layout, pinned);
  const c10::DeviceGuard guard(Wanted(device));
  return at::detail::empty_strided_generic(size, stride, &DeviceMemory(), kKeys,
                                           c10::dtype_or_default(dtype));
}

bool IsOnDevice(const at::Tensor& tensor) { return tensor.device().type() == kType; }

bool IsPinnedTensor(const at::Tensor& tensor) {
  return tensor.is_cpu() && IsPinned(tensor.const_data_ptr());
}

// Bytes that can be copied as they are; all others pass through a buffer.
bool IsPlain(const at::Tensor& from, const at::Tensor& to) {
  return from.scalar_type() == to.scalar_type() && from.sizes() == to.sizes() &&
         from.strides() == to.strides() && from.is_non_overlapping_and_dense();
}

// Runs later, when somebody waits. libtorch's allocator keeps page-locked memory until the copies
// from and to it are done; nobody keeps the device's.
void QueueCopy(const at::Tensor& from, const at::Tensor& to, c10::Stream stream) {
  const c10::Storage host = from.is_cpu() ? from.storage() : to.storage();
  RecordPinned(host.data(), stream.device_index());
  const void* source = from.const_data_ptr();
  void* target = to.mutable_data_ptr();
  Enqueue(stream,
          [host, source, target, bytes = from.nbytes()] { std::memcpy(target, source, bytes); });
}

void CopyFrom(const at::Tensor& self, const at::Tensor& dst, bool non_blocking) {
  if (dst.numel() == 0) return;
  const c10::Device device = IsOnDevice(dst) ? dst.device() : self.device();
  const c10::DeviceGuard guard(device);
  const bool between = IsOnDevice(self) && IsOnDevice(dst);
  const bool pinned = IsPinnedTensor(self) || IsPinnedTensor(dst);
  if (!between && non_blocking && pinned && IsPlain(self, dst)) {
    CheckQueueing(device.index());
    QueueCopy(self, dst, CurrentStream(device.index()));
    return;
  }
  Launch(device.index());
  if (between) Launch(self.device().index());
  CpuViews views;
  views.Of(dst).copy_(views.Of(self));
  if (!between && !non_blocking) CheckWaiting(device.index());
}

// Whichever of the two is on a device.
at::Tensor& Copy(at::Tensor& self, const at::Tensor& source, bool non_blocking) {
  CopyFrom(source.expand_as(self), self, non_blocking);
  return self;
}

at::Scalar LocalScalarDense(const at::Tensor& self) {
  const c10::DeviceIndex index = self.device().index();
  Launch(index);
  CheckWaiting(index);
  CpuViews views;
  return views.Of(self).item();
}

void RecordStream(at::Tensor& self, c10::Stream stream) {
  DeviceMemory().recordStream(self.storage().data_ptr(), stream);
}

// There is neither cuDNN nor MIOpen here.
bool UseVendorKernels(const at::Tensor& /*log_probs*/, const at::Tensor& /*targets*/,
                      at::IntArrayRef /*steps*/, at::IntArrayRef /*counts*/, int64_t /*blank*/) {
  return false;
}

bool UseVendorKernelsOfTensors(const at::Tensor& /*log_probs*/, const at::Tensor& /*targets*/,
                               const at::Tensor& /*steps*/, const at::Tensor& /*counts*/,
                               int64_t /*blank*/) {
  return false;
}

at::Tensor& SetTo(at::Tensor& self, const c10::Storage& source, int64_t offset,
                  at::IntArrayRef size, at::IntArrayRef stride) {
  c10::TensorImpl* impl = self.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(source);
  impl->set_sizes_and_strides(size, stride, offset);
  return self;
}

at::Tensor& SetToTensor(at::Tensor& self, const at::Tensor& source) {
  return SetTo(self, source.storage(), source.storage_offset(), source.sizes(), source.strides());
}

at::Tensor& SetToStorage(at::Tensor& self, c10::Storage source, int64_t offset,
                         at::IntArrayRef size, at::IntArrayRef stride) {
  return SetTo(self, source, offset, size, stride);
}

}  // namespace

void RegisterKernels() {
  // Never destroyed: they would be taken out of the dispatcher.
  constexpr auto kKind = torch::Library::IMPL;
  constexpr auto kKey = c10::DispatchKey::CUDA;
  static auto& all =
      *std::make_unique<torch::Library>(kKind, "_", kKey, __FILE__, __LINE__).release();
  all.fallback(torch::CppFunction::makeFromBoxedFunction<&Fallback>());
  static auto& aten =
      *std::make_unique<torch::Library>(kKind, "aten", kKey, __FILE__, __LINE__).release();
  aten.impl("empty.memory_format", TORCH_FN(Empty));
  aten.impl("empty_strided", TORCH_FN(EmptyStrided));
  aten.impl("copy_", TORCH_FN(Copy));
  aten.impl("_local_scalar_dense", TORCH_FN(LocalScalarDense));
  for (const char* name : {"_use_cudnn_ctc_loss", "_use_miopen_ctc_loss"}) {
    aten.impl(name, TORCH_FN(UseVendorKernels));
    aten.impl((std::string(name) + ".Tensor").c_str(), TORCH_FN(UseVendorKernelsOfTensors));
  }
  aten.impl("record_stream", TORCH_FN(RecordStream));
  aten.impl("set_.source_Tensor", TORCH_FN(SetToTensor));
  aten.impl("set_.source_Storage_storage_offset", TORCH_FN(SetToStorage));
}

}  // namespace fake_device
