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

// A copy in progress into page-locked memory, and the callback to call when it has arrived.
struct AsyncCopy {
  at::Tensor host;
  c10::Event arrival;
  napi_ref done = nullptr;
  napi_async_work work = nullptr;
  std::optional<Failure> failure = std::nullopt;
};

// On a thread of Node's pool.
void Wait(napi_env /*env*/, void* data) {
  auto& copy = *static_cast<AsyncCopy*>(data);
  try {
    copy.arrival.synchronize();
  } catch (...) {
    copy.failure = DescribeFailure("asyncCopy");
  }
}

void Deliver(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<AsyncCopy> copy(static_cast<AsyncCopy*>(data));
  const Napi::HandleScope scope(env);
  napi_value done = nullptr;
  napi_get_reference_value(env, copy->done, &done);
  napi_delete_reference(env, copy->done);
  napi_delete_async_work(env, copy->work);
  // The environment is ending, and nobody waits any more.
  if (status != napi_ok) return;
  Environment& environment = Environment::Of(env);
  napi_value result = nullptr;
  if (copy->failure) {
    result = environment.Fail(std::move(*copy->failure));
    Drop(std::exchange(copy->host, {}));
  } else {
    result = Guard(environment, "asyncCopy", [&] { return WrapTensor(env, copy->host); });
  }
  napi_call_function(env, Napi::Env(env).Undefined(), done, 1, &result, nullptr);
}

// asyncCopy(tensor, done): copies a tensor of a device to the CPU; done(copy) is called when it is
// there, or done(failed)
Napi::Value StartAsyncCopy(const Napi::CallbackInfo& info) {
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
  auto copy = std::make_unique<AsyncCopy>(AsyncCopy{std::move(host), c10::Event(device.type())});
  copy->arrival.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  const Napi::String name = Napi::String::New(env, "libtorch-losses:asyncCopy");
  if (napi_create_reference(env, info[1], 1, &copy->done) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Wait, Deliver, copy.get(), &copy->work) !=
          napi_ok ||
      napi_queue_async_work(env, copy->work) != napi_ok) {
    throw Napi::Error::New(env);
  }
  // From here on Deliver owns it, which is called in any case.
  static_cast<void>(copy.release());
  return info.Env().Undefined();
}

}  // namespace

void RegisterAsyncCopy(Napi::Object exports) { Export<StartAsyncCopy>(exports, "asyncCopy"); }

}  // namespace bridge
