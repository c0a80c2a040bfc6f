// Device memory as the CPU's kernels see it: CPU tensors over the same bytes.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <unordered_map>
#include <vector>

namespace fake_device {

// Those of one call. Tensors that share memory on the device share it here, too.
class CpuViews {
 public:
  // The tensor over the same memory; what is not on a device stays as it is.
  at::Tensor Of(const at::Tensor& tensor);

  // What a kernel gave as a tensor on the device: the one that it was made of, a view of the same
  // memory, or a copy of what is new.
  at::Tensor Back(const at::Tensor& result, c10::Device device);

  // Gives tensors that a kernel has resized their new size, with what it wrote.
  void ResizeOriginals();

 private:
  c10::Storage StorageOf(const c10::Storage& storage);

  struct Pair {
    at::Tensor original;
    at::Tensor view;
  };

  std::vector<Pair> pairs_;
  // By the device's storage.
  std::unordered_map<c10::StorageImpl*, c10::Storage> storages_;
};

// A copy on the device, with the same strides.
at::Tensor CopyToDevice(const at::Tensor& tensor, c10::Device device);

}  // namespace fake_device
