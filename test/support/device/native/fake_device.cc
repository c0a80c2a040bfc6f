// An addon for the tests: two simulated devices, which libtorch takes for real ones. Their
// memory is the host's and their kernels are the CPU's, so that what is computed on them has the
// CPU's bits; copies arrive when somebody waits for them, and memory ends where a test says.
//
// It is opened after libtorch, and before the first backward pass of the process, which counts the
// devices.
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>

#include <mutex>

#include "fallback.h"
#include "kernels.h"
#include "memory.h"
#include "napi_setup.h"
#include "runtime.h"
#include "streams.h"

namespace {

using fake_device::kDevices;

c10::DeviceIndex ReadIndex(const Napi::CallbackInfo& info) {
  const int32_t index = info[0].As<Napi::Number>().Int32Value();
  if (index < 0 || index >= kDevices) throw Napi::RangeError::New(info.Env(), "no such device");
  return static_cast<c10::DeviceIndex>(index);
}

Napi::Value ToNumber(napi_env env, double value) { return Napi::Number::New(env, value); }

// setLimit(device, bytes)
Napi::Value SetLimit(const Napi::CallbackInfo& info) {
  const auto bytes = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  fake_device::SetLimit(ReadIndex(info), bytes);
  return info.Env().Undefined();
}

// stats(device)
Napi::Value Stats(const Napi::CallbackInfo& info) {
  const auto stats = fake_device::DeviceMemory().getDeviceStats(ReadIndex(info));
  Napi::Object result = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, int64_t value) {
    result.Set(name, ToNumber(info.Env(), static_cast<double>(value)));
  };
  set("allocated", stats.allocated_bytes[0].current);
  set("peakAllocated", stats.allocated_bytes[0].peak);
  set("reserved", stats.reserved_bytes[0].current);
  set("peakReserved", stats.reserved_bytes[0].peak);
  set("retries", stats.num_alloc_retries);
  set("refusals", stats.num_ooms);
  return result;
}

// resetPeak(device)
Napi::Value ResetPeak(const Napi::CallbackInfo& info) {
  fake_device::DeviceMemory().resetPeakStats(ReadIndex(info));
  return info.Env().Undefined();
}

// emptyCache()
Napi::Value EmptyCache(const Napi::CallbackInfo& info) {
  fake_device::DeviceMemory().emptyCache();
  return info.Env().Undefined();
}

// kernels(device)
Napi::Value Kernels(const Napi::CallbackInfo& info) {
  return ToNumber(info.Env(), static_cast<double>(fake_device::KernelsRun(ReadIndex(info))));
}

// pendingCopies(device)
Napi::Value PendingCopies(const Napi::CallbackInfo& info) {
  return ToNumber(info.Env(), static_cast<double>(fake_device::PendingCopies(ReadIndex(info))));
}

// assertOnBadValues(on)
Napi::Value AssertOnBadValues(const Napi::CallbackInfo& info) {
  fake_device::AssertOnBadValues(info[0].As<Napi::Boolean>());
  return info.Env().Undefined();
}

// resetLost(device)
Napi::Value ResetLost(const Napi::CallbackInfo& info) {
  fake_device::ResetLost(ReadIndex(info));
  return info.Env().Undefined();
}

// fatalFrees(device)
Napi::Value FatalFrees(const Napi::CallbackInfo& info) {
  return ToNumber(info.Env(), static_cast<double>(fake_device::FatalFrees(ReadIndex(info))));
}

template <Napi::Value (*Fn)(const Napi::CallbackInfo&)>
Napi::Value Guarded(const Napi::CallbackInfo& info) {
  try {
    return Fn(info);
  } catch (const c10::Error& error) {
    throw Napi::Error::New(info.Env(), error.what_without_backtrace());
  }
}

template <Napi::Value (*Fn)(const Napi::CallbackInfo&)>
void Export(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<Guarded<Fn>>(exports.Env(), name));
}

Napi::Object Init(Napi::Env /*env*/, Napi::Object exports) {
  static std::once_flag once;
  std::call_once(once, [] {
    fake_device::RegisterRuntime();
    fake_device::RegisterKernels();
  });
  Export<SetLimit>(exports, "setLimit");
  Export<Stats>(exports, "stats");
  Export<ResetPeak>(exports, "resetPeak");
  Export<EmptyCache>(exports, "emptyCache");
  Export<Kernels>(exports, "kernels");
  Export<PendingCopies>(exports, "pendingCopies");
  Export<AssertOnBadValues>(exports, "assertOnBadValues");
  Export<ResetLost>(exports, "resetLost");
  Export<FatalFrees>(exports, "fatalFrees");
  return exports;
}

}  // namespace

NODE_API_MODULE(fake_device, Init)
