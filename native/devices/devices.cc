#include "devices/devices.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Generator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "devices/allocator.h"
#include "guard.h"
#include "values/ivalue.h"
#include "values/storage.h"

namespace bridge {

namespace {

using Stats = c10::CachingDeviceAllocator::DeviceStats;

std::atomic<bool> device_lost = false;

// What of CUDA's errors no later call recovers from, in the words of CUDA.
constexpr std::array<std::string_view, 9> kLosses = {
    "device-side assert triggered", "illegal memory access", "unspecified launch failure",
    "misaligned address",           "illegal instruction",   "hardware stack error",
    "invalid program counter",      "uncorrectable ECC",     "launch timed out"};

// The allocator, made ready for use.
c10::DeviceAllocator& AllocatorOf(c10::Device device) {
  at::globalContext().lazyInitDevice(device.type());
  return *c10::getDeviceAllocator(device.type());
}

// Whether its memory is a device's, or page-locked: of the CPU's memory that is not an array's,
// what the CPU's own allocator has not given.
bool IsOfDevice(const at::Tensor& tensor) {
  if (!tensor.is_cpu()) return true;
  if (!tensor.has_storage() || SharedMemoryOf(tensor)) return false;
  const c10::DataPtr& data = tensor.storage().data_ptr();
  return data.get() != nullptr && data.get_deleter() != c10::GetCPUAllocator()->raw_deleter();
}

// cudaDeviceCount(): 0 without CUDA, and where there is no driver
Napi::Value CudaDeviceCount(const Napi::CallbackInfo& info) {
  const int count = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  return Napi::Number::New(info.Env(), count);
}

// currentDevice(kind): the one that "cuda" means on this thread
Napi::Value CurrentDevice(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  return Napi::Number::New(info.Env(), device.index());
}

// setDevice(device): what "cuda" means on this thread from here on
Napi::Value SetDevice(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  return info.Env().Undefined();
}

// synchronize(device): waits until everything queued on the device has run
Napi::Value Synchronize(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  return info.Env().Undefined();
}

// seedDevice(device, seed: bigint in [0, 2^64))
Napi::Value SeedDevice(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  const uint64_t seed = ReadSeed(info.Env(), info[1]);
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
  return info.Env().Undefined();
}

Napi::Object Figures(napi_env env, const c10::CachingAllocator::StatArray& of_pools) {
  const auto& all = of_pools[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  Napi::Object figures = Napi::Object::New(env);
  const auto set = [&](const char* name, int64_t value) {
    figures.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("current", all.current);
  set("peak", all.peak);
  set("allocated", all.allocated);
  set("freed", all.freed);
  return figures;
}

// memoryStats(device): the figures of its allocator, in bytes
Napi::Value MemoryStats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const c10::Device device = ReadAccelerator(env, info[0], "device");
  const Stats stats = AllocatorOf(device).getDeviceStats(device.index());
  Napi::Object result = Napi::Object::New(env);
  result.Set("allocatedBytes", Figures(env, stats.allocated_bytes));
  result.Set("reservedBytes", Figures(env, stats.reserved_bytes));
  result.Set("activeBytes", Figures(env, stats.active_bytes));
  result.Set("requestedBytes", Figures(env, stats.requested_bytes));
  result.Set("numAllocRetries",
             Napi::Number::New(env, static_cast<double>(stats.num_alloc_retries)));
  result.Set("numOoms", Napi::Number::New(env, static_cast<double>(stats.num_ooms)));
  return result;
}

// memoryInfo(device): [free, total] bytes of the device, whoever uses them
Napi::Value MemoryInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const c10::Device device = ReadAccelerator(env, info[0], "device");
  const auto [free, total] = AllocatorOf(device).getMemoryInfo(device.index());
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(uint32_t{0}, Napi::Number::New(env, static_cast<double>(free)));
  result.Set(uint32_t{1}, Napi::Number::New(env, static_cast<double>(total)));
  return result;
}

// resetPeakMemoryStats(device): peaks begin anew at what is used now
Napi::Value ResetPeakMemoryStats(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  AllocatorOf(device).resetPeakStats(device.index());
  return info.Env().Undefined();
}

// emptyDeviceCache(device): gives back what the allocator of that kind of device keeps
Napi::Value EmptyDeviceCache(const Napi::CallbackInfo& info) {
  AllocatorOf(ReadAccelerator(info.Env(), info[0], "device")).emptyCache();
  return info.Env().Undefined();
}

// Gives back what allocators keep for later, of every kind of device.
void EmptyCaches() {
  EmptyCpuCache();
  const std::optional<c10::DeviceType> type = at::getAccelerator();
  if (!type || IsDeviceLost()) return;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(*type));
  if (allocator != nullptr && allocator->initialized()) allocator->emptyCache();
}

// reclaim()
Napi::Value ReclaimNow(const Napi::CallbackInfo& info) {
  Reclaim(Environment::Of(info.Env()));
  return info.Env().Undefined();
}

}  // namespace

c10::Device ReadAccelerator(napi_env env, napi_value value, const char* argument) {
  const c10::Device device = ReadDevice(env, value, argument);
  if (device.is_cpu()) throw Refused(argument, "a device beside the CPU", "'cpu'");
  const c10::impl::VirtualGuardImpl impl(device.type());
  if (!device.has_index()) return impl.getDevice();
  const int count = impl.deviceCount();
  if (device.index() < count) return device;
  throw Refused(argument, "one of " + std::to_string(count) + " devices", "'" + device.str() + "'");
}

bool SaysDeviceIsLost(std::string_view message) {
  return message.find(" error: ") != std::string_view::npos &&
         std::any_of(kLosses.begin(), kLosses.end(), [&](std::string_view loss) {
           return message.find(loss) != std::string_view::npos;
         });
}

void NoteLostDevice() { device_lost = true; }

bool IsDeviceLost() { return device_lost; }

void Drop(at::Tensor tensor) {
  if (tensor.defined() && IsDeviceLost() && IsOfDevice(tensor)) {
    static_cast<void>(tensor.unsafeReleaseTensorImpl());
  }
}

void Reclaim(Environment& environment) {
  // More external memory than any heap may have: V8 collects at once, finalizers included.
  constexpr int64_t kPressure = int64_t{1} << 46;
  int64_t total = 0;
  napi_adjust_external_memory(environment.env, kPressure, &total);
  napi_adjust_external_memory(environment.env, -kPressure, &total);
  environment.shared_buffers->DeleteDropped(environment.env);
  EmptyCaches();
}

void RegisterDevices(Napi::Object exports) {
  Export<CudaDeviceCount>(exports, "cudaDeviceCount");
  Export<CurrentDevice>(exports, "currentDevice");
  Export<SetDevice>(exports, "setDevice");
  Export<Synchronize>(exports, "synchronize");
  Export<SeedDevice>(exports, "seedDevice");
  Export<MemoryStats>(exports, "memoryStats");
  Export<MemoryInfo>(exports, "memoryInfo");
  Export<ResetPeakMemoryStats>(exports, "resetPeakMemoryStats");
  Export<EmptyDeviceCache>(exports, "emptyDeviceCache");
  Export<ReclaimNow>(exports, "reclaim");
}

}  // namespace bridge
