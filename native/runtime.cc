#include "runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <cmath>

#include "devices/allocator.h"
#include "guard.h"
#include "values/ivalue.h"
#include "values/tensor_table.h"

namespace bridge {

namespace {

// connect({ emitWarning(message), collectYoung() })
Napi::Value Connect(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw Refused("hooks", "an object", Describe(info.Env(), info[0]));
  Environment::Of(info.Env()).Connect(info[0].As<Napi::Object>());
  return info.Env().Undefined();
}

// failure(): why the entry failed that returned `failed`: [code, message, op, argument], or
// [what user code threw]
Napi::Value TakeFailure(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).TakeFailure();
}

// builtFor(): the version of libtorch whose headers this addon was compiled with
Napi::Value BuiltFor(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), std::to_string(TORCH_VERSION_MAJOR) + "." +
                                           std::to_string(TORCH_VERSION_MINOR) + "." +
                                           std::to_string(TORCH_VERSION_PATCH));
}

// cpuCapability(): "DEFAULT", "AVX2", "AVX512", … — which of ATen's CPU kernels run
Napi::Value CpuCapability(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), at::get_cpu_capability());
}

Napi::Value GetNumThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), at::get_num_threads());
}

Napi::Value SetNumThreads(const Napi::CallbackInfo& info) {
  const int64_t count = ReadInt(info.Env(), info[0], "count");
  if (count < 1 || count > 1024) {
    throw Refused("count", "an integer in [1, 1024]", std::to_string(count));
  }
  at::set_num_threads(static_cast<int>(count));
  return info.Env().Undefined();
}

// manualSeed(seed: bigint in [0, 2^64)): of every device
Napi::Value ManualSeed(const Napi::CallbackInfo& info) {
  at::manual_seed(ReadSeed(info.Env(), info[0]));
  return info.Env().Undefined();
}

// memory(): { tensors, bytes } that this environment holds, and { allocated, cached }, bytes of the
// process's allocator
Napi::Value Memory(const Napi::CallbackInfo& info) {
  const Ledger& ledger = Environment::Of(info.Env()).tensors->ledger;
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("tensors", Napi::Number::New(info.Env(), static_cast<double>(ledger.tensors())));
  result.Set("bytes", Napi::Number::New(info.Env(), static_cast<double>(ledger.bytes())));
  const AllocatorFigures figures = ReadAllocatorFigures();
  result.Set("allocated", Napi::Number::New(info.Env(), static_cast<double>(figures.used)));
  result.Set("cached", Napi::Number::New(info.Env(), static_cast<double>(figures.cached)));
  return result;
}

// emptyCache(): gives back the blocks that the allocator keeps
Napi::Value EmptyCache(const Napi::CallbackInfo& info) {
  EmptyCpuCache();
  return info.Env().Undefined();
}

double ReadDouble(const Napi::Value& value, const char* argument) {
  if (!value.IsNumber()) throw Refused(argument, "a number", Describe(value.Env(), value));
  return value.As<Napi::Number>().DoubleValue();
}

// pow(base, exponent): of the C library, as Python's floats have it. V8's differs in last bits.
Napi::Value Pow(const Napi::CallbackInfo& info) {
  const double base = ReadDouble(info[0], "base");
  return Napi::Number::New(info.Env(), std::pow(base, ReadDouble(info[1], "exponent")));
}

// cos(x): of the C library, as Python's math has it.
Napi::Value Cos(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), std::cos(ReadDouble(info[0], "x")));
}

// log(x): of the C library.
Napi::Value Log(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), std::log(ReadDouble(info[0], "x")));
}

}  // namespace

void RegisterRuntime(Napi::Object exports) {
  Export<Connect>(exports, "connect");
  Export<TakeFailure>(exports, "failure");
  exports.Set("failed", Napi::Value(exports.Env(), Environment::Of(exports.Env()).failed()));
  Export<BuiltFor>(exports, "builtFor");
  Export<CpuCapability>(exports, "cpuCapability");
  Export<GetNumThreads>(exports, "getNumThreads");
  Export<SetNumThreads>(exports, "setNumThreads");
  Export<ManualSeed>(exports, "manualSeed");
  Export<Memory>(exports, "memory");
  Export<EmptyCache>(exports, "emptyCache");
  Export<Pow>(exports, "pow");
  Export<Cos>(exports, "cos");
  Export<Log>(exports, "log");
}

}  // namespace bridge
