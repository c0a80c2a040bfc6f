#include "devices/staging.h"

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "devices/devices.h"
#include "guard.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// Made by a random generator once; tells transfers from every other External.
constexpr napi_type_tag kTransferTag = {0x2d6c91be04f7483a, 0x9a5e7013cd84b6f1};

struct Transfer {
  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    for (at::Tensor& tensor : tensors) Drop(std::move(tensor));
  }

  std::vector<at::Tensor> tensors;
  // The event that completes the transfer; none for a device without streams.
  std::optional<c10::Event> arrival = std::nullopt;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
};

// The stream on which this thread copies to a device: beside the one on which it computes.
c10::Stream CopyStream(const c10::impl::VirtualGuardImpl& impl, c10::Device device) {
  thread_local std::map<c10::Device, c10::Stream, bool (*)(c10::Device, c10::Device)> streams(
      [](c10::Device a, c10::Device b) {
        return std::pair(a.type(), a.index()) < std::pair(b.type(), b.index());
      });
  const auto found = streams.find(device);
  if (found != streams.end()) return found->second;
  return streams.emplace(device, impl.getStreamFromGlobalPool(device)).first->second;
}

// Only from page-locked memory does a copy run beside the device's work. libtorch keeps such memory
// for the next copy, and gives it away only when this one is done.
at::Tensor Pinned(const at::Tensor& tensor) {
  if (!tensor.device().is_cpu()) return tensor;
  at::Tensor pinned = at::empty(tensor.sizes(), tensor.options().pinned_memory(true));
  return pinned.copy_(tensor);
}

// startTransfer(tensors, device): starts copying them; returns what finishTransfer() takes
Napi::Value StartTransfer(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::vector<at::Tensor> tensors = UnwrapTensors(env, info[0], "tensors");
  auto transfer = std::make_unique<Transfer>();
  transfer->device = ReadDevice(env, info[1], "device");
  // An array's elements may be getters, which may have detached what was read before them.
  for (const at::Tensor& tensor : tensors) CheckStorage(env, tensor);
  if (transfer->device.is_cpu()) {
    for (const at::Tensor& tensor : tensors)
      transfer->tensors.push_back(tensor.to(transfer->device));
    return {env, ToExternal(env, std::move(transfer), kTransferTag)};
  }
  const c10::impl::VirtualGuardImpl impl(transfer->device.type());
  if (!transfer->device.has_index()) transfer->device = impl.getDevice();
  const c10::Stream computing = impl.getStream(transfer->device);
  const c10::Stream copying = CopyStream(impl, transfer->device);
  const c10::StreamGuard guard(copying);
  for (const at::Tensor& tensor : tensors) {
    transfer->tensors.push_back(Pinned(tensor).to(transfer->device, tensor.scalar_type(),
                                                  /*non_blocking=*/true));
    // Freed memory goes back to the stream that it was made on, which must wait for those who use
    // it.
    impl.recordDataPtrOnStream(transfer->tensors.back().storage().data_ptr(), computing);
  }
  transfer->arrival.emplace(transfer->device.type());
  transfer->arrival->record(copying);
  return {env, ToExternal(env, std::move(transfer), kTransferTag)};
}

// finishTransfer(transfer): the tensors on the device; work queued from here on waits for them
Napi::Value FinishTransfer(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto* transfer = FromExternal<Transfer>(env, info[0], kTransferTag);
  if (transfer == nullptr)
    throw Refused("transfer", "what startTransfer() gave", Describe(env, info[0]));
  if (transfer->arrival) {
    const c10::impl::VirtualGuardImpl impl(transfer->device.type());
    transfer->arrival->block(impl.getStream(transfer->device));
  }
  const std::vector<at::Tensor> tensors = std::exchange(transfer->tensors, {});
  Napi::Array handles = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); i++) {
    handles.Set(i, Napi::Value(env, WrapTensor(env, tensors[i])));
  }
  return handles;
}

}  // namespace

void RegisterStaging(Napi::Object exports) {
  Export<StartTransfer>(exports, "startTransfer");
  Export<FinishTransfer>(exports, "finishTransfer");
}

}  // namespace bridge
