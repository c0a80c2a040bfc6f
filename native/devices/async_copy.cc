#include "devices/async_copy.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>
#include <utility>

#include "devices/devices.h"
#include "guard.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// A copy in page-locked memory that is under way, and whom to tell when it is there.
struct Fetch {
  at::Tensor host;
  c10::Event arrival;
  napi_ref done = nullptr;
  napi_async_work work = nullptr;
  std::optional<Failure> failure = std::nullopt;
};

// On a thread of Node's pool.
void Wait(napi_env /*env*/, void* data) {
  auto& fetch = *static_cast<Fetch*>(data);
  try {
    fetch.arrival.synchronize();
  } catch (...) {
    fetch.failure = DescribeFailure("fetch");
  }
}

void Deliver(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Fetch> fetch(static_cast<Fetch*>(data));
  const Napi::HandleScope scope(env);
  napi_value done = nullptr;
  napi_get_reference_value(env, fetch->done, &done);
  napi_delete_reference(env, fetch->done);
  napi_delete_async_work(env, fetch->work);
  // The environment is going, and nobody waits any more.
  if (status != napi_ok) return;
  Environment& environment = Environment::Of(env);
  napi_value result = nullptr;
  if (fetch->failure) {
    result = environment.Fail(std::move(*fetch->failure));
    Drop(std::exchange(fetch->host, {}));
  } else {
    result = Guard(environment, "fetch", [&] { return WrapTensor(env, fetch->host); });
  }
  napi_call_function(env, Napi::Env(env).Undefined(), done, 1, &result, nullptr);
}

// fetch(tensor, done): copies a tensor of a device to the CPU; done(copy) is called when it is
// there, or done(failed)
Napi::Value StartFetch(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const at::NoGradGuard no_grad;
  const at::Tensor& tensor = UnwrapTensor(env, info[0], "tensor");
  if (!info[1].IsFunction()) throw Refused("done", "a function", Describe(env, info[1]));
  if (tensor.is_cpu()) throw Refused("tensor", "on a device beside the CPU", "one on the CPU");
  const c10::Device device = tensor.device();
  const at::Tensor source = tensor.contiguous();
  at::Tensor host =
      at::empty(tensor.sizes(), source.options().device(c10::kCPU).pinned_memory(true));
  host.copy_(source, /*non_blocking=*/true);
  auto fetch = std::make_unique<Fetch>(Fetch{std::move(host), c10::Event(device.type())});
  fetch->arrival.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  const Napi::String name = Napi::String::New(env, "libtorch-losses:fetch");
  if (napi_create_reference(env, info[1], 1, &fetch->done) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Wait, Deliver, fetch.get(), &fetch->work) !=
          napi_ok ||
      napi_queue_async_work(env, fetch->work) != napi_ok) {
    throw Napi::Error::New(env);
  }
  // From here on Deliver owns it, which is called in any case.
  static_cast<void>(fetch.release());
  return info.Env().Undefined();
}

}  // namespace

void RegisterReading(Napi::Object exports) { Export<StartFetch>(exports, "fetch"); }

}  // namespace bridge
