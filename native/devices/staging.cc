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

// Made by a random generator once; tells staged tensors from every other External.
constexpr napi_type_tag kStagedTag = {0x2d6c91be04f7483a, 0x9a5e7013cd84b6f1};

struct Staged {
  Staged() = default;
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  ~Staged() {
    for (at::Tensor& tensor : tensors) Drop(std::move(tensor));
  }

  std::vector<at::Tensor> tensors;
  // What has to have happened before they are there; nothing for a device without streams.
  std::optional<c10::Event> arrival = std::nullopt;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
};

// Runs inside the garbage collection.
void Finalize(node_api_basic_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<Staged> staged(static_cast<Staged*>(data));
}

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

// stage(tensors, device): begins to copy them; what arrive() takes
Napi::Value Stage(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::vector<at::Tensor> tensors = UnwrapTensors(env, info[0], "tensors");
  auto staged = std::make_unique<Staged>();
  staged->device = ReadDevice(env, info[1], "device");
  // An array's elements may be getters, which may have detached what was read before them.
  for (const at::Tensor& tensor : tensors) CheckStorage(env, tensor);
  if (staged->device.is_cpu()) {
    for (const at::Tensor& tensor : tensors) staged->tensors.push_back(tensor.to(staged->device));
    return {env, ToExternal(env, std::move(staged), kStagedTag, Finalize)};
  }
  const c10::impl::VirtualGuardImpl impl(staged->device.type());
  if (!staged->device.has_index()) staged->device = impl.getDevice();
  const c10::Stream computing = impl.getStream(staged->device);
  const c10::Stream copying = CopyStream(impl, staged->device);
  const c10::StreamGuard guard(copying);
  for (const at::Tensor& tensor : tensors) {
    staged->tensors.push_back(Pinned(tensor).to(staged->device, tensor.scalar_type(),
                                                /*non_blocking=*/true));
    // Freed memory goes back to the stream that it was made on, which must wait for those who use
    // it.
    impl.recordDataPtrOnStream(staged->tensors.back().storage().data_ptr(), computing);
  }
  staged->arrival.emplace(staged->device.type());
  staged->arrival->record(copying);
  return {env, ToExternal(env, std::move(staged), kStagedTag, Finalize)};
}

// arrive(staged): the tensors on the device; its work from here on waits until they are there
Napi::Value Arrive(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto* staged = FromExternal<Staged>(env, info[0], kStagedTag);
  if (staged == nullptr) throw Refused("staged", "what stage() gave", Describe(env, info[0]));
  if (staged->arrival) {
    const c10::impl::VirtualGuardImpl impl(staged->device.type());
    staged->arrival->block(impl.getStream(staged->device));
  }
  const std::vector<at::Tensor> tensors = std::exchange(staged->tensors, {});
  Napi::Array handles = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); i++) {
    handles.Set(i, Napi::Value(env, WrapTensor(env, tensors[i])));
  }
  return handles;
}

}  // namespace

void RegisterStaging(Napi::Object exports) {
  Export<Stage>(exports, "stage");
  Export<Arrive>(exports, "arrive");
}

}  // namespace bridge
