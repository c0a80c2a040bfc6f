#include "trace/replay.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/slice.h>
#include <c10/util/hash.h>

#include <algorithm>
#include <array>
#include <utility>

#include "devices/threads.h"
#include "guard.h"
#include "trace/background.h"
#include "trace/tracer.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// Made by a random generator once; tells programs from every other External.
constexpr napi_type_tag kProgramTag = {0x1d7b34c95e20f86a, 0xc46a8be1970d235f};

// What a program was traced for: user code may have looked at all of it.
struct Signature {
  explicit Signature(const at::Tensor& tensor)
      : sizes(tensor.sizes().vec()),
        strides(tensor.strides().vec()),
        dtype(tensor.scalar_type()),
        device(tensor.device()),
        requires_grad(tensor.requires_grad()),
        contiguous(tensor.is_contiguous()),
        inference(tensor.is_inference()) {}

  // Whether a tensor that owns new memory is of this kind.
  bool IsPlain() const { return contiguous && device.is_cpu() && !requires_grad && !inference; }

  bool Fits(const at::Tensor& tensor) const {
    return tensor.scalar_type() == dtype && tensor.sizes() == sizes &&
           tensor.strides() == strides && tensor.device() == device &&
           tensor.requires_grad() == requires_grad && tensor.is_inference() == inference;
  }

  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
  at::ScalarType dtype;
  c10::Device device;
  bool requires_grad;
  bool contiguous;
  bool inference;
};

struct ProgramHandle {
  std::shared_ptr<const Program> program;
  std::vector<Signature> inputs;
  // Tensors from before the trace that steps use.
  std::vector<at::Tensor> constants;

  // Throws DETACHED: what a program was traced with may have lost its memory before it runs.
  void CheckConstants(napi_env env) const {
    for (const at::Tensor& constant : constants) CheckStorage(env, constant);
  }
};

const ProgramHandle& ExpectProgram(napi_env env, napi_value value) {
  const auto* handle = FromExternal<ProgramHandle>(env, value, kProgramTag);
  if (handle == nullptr) throw Refused("program", "a traced program", Describe(env, value));
  return *handle;
}

// trace(inputs, fn): what fn(handles) does with tensors like the inputs, below autograd
Napi::Value Trace(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  std::vector<at::Tensor> inputs;
  for (napi_value input : ReadArray(env, info[0], "inputs")) {
    inputs.push_back(InspectTensor(env, input, "input"));
  }
  // What is traced inside of another trace runs where that runs.
  const auto& outer = Environment::Of(env).tracer;
  const bool detached = outer && outer->detached();
  const auto tracer = std::make_shared<Tracer>(env, inputs, detached);
  TraceFunction(Environment::Of(env), tracer, info[1], /*below_autograd=*/true);
  auto handle = std::make_unique<ProgramHandle>();
  handle->program = std::make_shared<const Program>(std::exchange(tracer->program(), {}));
  for (const at::Tensor& input : inputs) handle->inputs.emplace_back(input);
  handle->constants = tracer->constants();
  return {env, ToExternal(env, std::move(handle), kProgramTag)};
}

// A tensor that fits, or a borrowed view of a typed array; undefined if it does not fit.
at::Tensor ReadInput(napi_env env, napi_value value, const Signature& signature,
                     std::vector<at::Tensor>& borrowed) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  // Handles are Externals.
  if (type == napi_object) {
    if (!signature.IsPlain()) return {};
    at::Tensor array = BorrowArray(env, value, signature.dtype, signature.sizes);
    if (array.defined()) borrowed.push_back(array);
    return array;
  }
  const at::Tensor& tensor = UnwrapTensor(env, value, "input");
  return signature.Fits(tensor) ? tensor : at::Tensor();
}

// A result that shows the memory of an input gets memory of its own: a borrowed view ends with the
// call.
at::Tensor Owned(const at::Tensor& result, const std::vector<at::Tensor>& borrowed) {
  const bool is_borrowed =
      std::any_of(borrowed.begin(), borrowed.end(),
                  [&](const at::Tensor& tensor) { return tensor.is_alias_of(result); });
  return is_borrowed ? result.clone() : result;
}

// What run() returns.
enum OutputMode : uint32_t { kTensors, kNumber };

// The only element. float32 on the CPU is read in place, without another call of libtorch.
napi_value Number(napi_env env, const at::Tensor& tensor) {
  if (tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() == 1 &&
      !tensor.is_neg() && !tensor._is_zerotensor()) {
    return Napi::Number::New(env, *tensor.const_data_ptr<float>());
  }
  return ScalarToJs(env, tensor.item());
}

napi_value RunProgram(napi_env env, size_t argc, const napi_value* argv) {
  const ProgramHandle& handle = ExpectProgram(env, argv[0]);
  const Program& program = *handle.program;
  uint32_t output_mode = kTensors;
  napi_get_value_uint32(env, argv[1], &output_mode);
  if (argc != program.inputs + 2) {
    throw Refused("inputs", "as many as were traced", std::to_string(argc - 2));
  }
  Values values(program.value_count);
  std::vector<at::Tensor> borrowed;
  for (size_t i = 0; i < program.inputs; i++) {
    at::Tensor input = ReadInput(env, argv[i + 2], handle.inputs[i], borrowed);
    if (!input.defined()) return Napi::Env(env).Undefined();
    values[i] = std::move(input);
  }
  handle.CheckConstants(env);
  for (const size_t input : program.written) {
    CheckUnused(Environment::Of(env), values[input].toTensor());
  }
  {
    const OneThread one_thread(program.one_thread);
    program.Run(values);
  }
  if (output_mode == kNumber && program.outputs.size() == 1) {
    return Number(env, values[program.outputs.front()].toTensor());
  }
  Napi::Array results = Napi::Array::New(env, program.outputs.size());
  for (uint32_t i = 0; i < program.outputs.size(); i++) {
    const at::Tensor result = Owned(values[program.outputs[i]].toTensor(), borrowed);
    results.Set(i, Napi::Value(env, WrapTensor(env, result)));
  }
  return results;
}

// run(program, outputMode, ...inputs): the results of tensors or typed arrays, or the only element;
// undefined if the program was traced for others
napi_value Run(napi_env env, napi_callback_info info) {
  std::array<napi_value, 16> argv{};
  size_t argc = argv.size();
  napi_get_cb_info(env, info, &argc, argv.data(), nullptr, nullptr);
  return Guard(Environment::Of(env), "run", [&]() -> napi_value {
    if (argc < 2 || argc > argv.size()) {
      throw BridgeError("INVALID_ARGUMENT", "expected a program and up to 14 inputs");
    }
    return RunProgram(env, argc, argv.data());
  });
}

// fingerprint(...inputs): a number that tells apart the kinds of inputs that programs are traced
// for. Different kinds may share it, so it finds a program, and `run` decides.
napi_value Fingerprint(napi_env env, napi_callback_info info) {
  std::array<napi_value, 16> argv{};
  size_t argc = argv.size();
  napi_get_cb_info(env, info, &argc, argv.data(), nullptr, nullptr);
  return Guard(Environment::Of(env), "fingerprint", [&]() -> napi_value {
    size_t hash = c10::GradMode::is_enabled();
    const auto add = [&hash](int64_t value) {
      hash = c10::hash_combine(hash, std::hash<int64_t>()(value));
    };
    for (size_t i = 0; i < std::min(argc, argv.size()); i++) {
      napi_valuetype type = napi_undefined;
      napi_typeof(env, argv[i], &type);
      add(type);
      // Of a typed array, the shape is part of the key.
      if (type == napi_object) continue;
      const at::Tensor& tensor = UnwrapTensor(env, argv[i], "input");
      add(static_cast<int64_t>(tensor.scalar_type()) * 4 + tensor.requires_grad() * 2 +
          tensor.is_inference());
      add(static_cast<int64_t>(tensor.device().type()) * 256 + tensor.device().index());
      for (const int64_t size : tensor.sizes()) add(size);
      for (const int64_t stride : tensor.strides()) add(stride);
    }
    // As many bits as a number of JavaScript holds exactly.
    return Napi::Number::New(env, static_cast<double>(hash >> 11));
  });
}

// A program run for one chunk of its inputs after the other, over all threads: intermediate results
// stay in the processors' caches. Results are written into inputs.
struct Chunked {
  std::shared_ptr<const Program> program;
  int64_t size;
  int64_t chunk;
  // The least that a thread is given.
  int64_t grain;
  // Which inputs are cut along their first dimension; the others are given whole.
  std::vector<bool> cut;

  void operator()(torch::jit::Stack& stack) const {
    program->MarkWritten(stack);
    ParallelFor(size, grain, [&](int64_t begin, int64_t end) {
      const at::NoGradGuard no_grad;
      const at::AutoDispatchBelowADInplaceOrView below;
      Values values(program->value_count);
      for (int64_t at = begin; at < end; at += chunk) {
        std::fill(values.begin(), values.end(), c10::IValue());
        for (size_t k = 0; k < cut.size(); k++) {
          const at::Tensor& input = stack[k].toTensor();
          values[k] = cut[k] ? at::slice(input, 0, at, std::min(end, at + chunk)) : input;
        }
        program->Run(values);
      }
    });
    stack.clear();
  }
};

// runInChunks(program, size, chunk, grain, cut, inputs)
Napi::Value RunInChunks(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const ProgramHandle& handle = ExpectProgram(env, info[0]);
  Chunked chunked{handle.program,
                  ReadInt(env, info[1], "size"),
                  ReadInt(env, info[2], "chunk"),
                  ReadInt(env, info[3], "grain"),
                  {}};
  if (chunked.size < 0 || chunked.chunk < 1 || chunked.grain < 1) {
    throw Refused("chunk", "an integer >= 1", std::to_string(chunked.chunk));
  }
  chunked.chunk = std::min(chunked.chunk, std::max<int64_t>(chunked.size, 1));
  for (napi_value flag : ReadArray(env, info[4], "cut")) {
    bool cut = false;
    napi_get_value_bool(env, flag, &cut);
    chunked.cut.push_back(cut);
  }
  const std::vector<napi_value> inputs = ReadArray(env, info[5], "inputs");
  if (inputs.size() != chunked.program->inputs || inputs.size() != chunked.cut.size()) {
    throw Refused("inputs", "as many as were traced", std::to_string(inputs.size()));
  }
  // What is cut holds the size to that of a tensor.
  if (std::find(chunked.cut.begin(), chunked.cut.end(), true) == chunked.cut.end()) {
    throw Refused("cut", "true for at least one input", "none that is");
  }
  const auto& tracer = Environment::Of(env).tracer;
  torch::jit::Stack stack;
  for (size_t i = 0; i < inputs.size(); i++) {
    at::Tensor input =
        tracer ? InspectTensor(env, inputs[i], "input") : UnwrapTensor(env, inputs[i], "input");
    if (chunked.cut[i] && (input.dim() == 0 || input.size(0) != chunked.size)) {
      throw Refused("input", "of the given size", std::to_string(i));
    }
    stack.emplace_back(std::move(input));
  }
  if (tracer) {
    tracer->AddConstants(handle.constants);
    for (const size_t input : chunked.program->written) {
      const PendingTensor* pending = PendingOf(env, inputs[input], "input");
      if (pending != nullptr) tracer->NoteWrite(pending->value_id);
    }
    tracer->Trace("chunks", std::move(chunked), inputs, 0);
  } else {
    handle.CheckConstants(env);
    for (const size_t input : chunked.program->written) {
      CheckUnused(Environment::Of(env), stack[input].toTensor());
    }
    chunked(stack);
  }
  return info.Env().Undefined();
}

// refuseIf(condition): traces a step that fails if the only element is true
Napi::Value RefuseIf(const Napi::CallbackInfo& info) {
  const auto& tracer = Environment::Of(info.Env()).tracer;
  if (!tracer) throw BridgeError("RUNTIME", "nothing is being traced");
  const auto call = [](torch::jit::Stack& stack) {
    const bool refused = stack.front().toTensor().item().toBool();
    stack.clear();
    if (refused) throw BridgeError("INVALID_ARGUMENT", "an argument was refused");
  };
  tracer->Trace("refuseIf", call, {info[0]}, 0);
  return info.Env().Undefined();
}

// withoutTracing(fn): operators are called while fn runs, not traced
Napi::Value WithoutTracing(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (!info[0].IsFunction()) throw Refused("fn", "a function", Describe(env, info[0]));
  const TracingScope scope(Environment::Of(env), nullptr);
  napi_value result = nullptr;
  if (napi_call_function(env, info.Env().Undefined(), info[0], 0, nullptr, &result) != napi_ok) {
    throw JsThrew();
  }
  return {env, result};
}

// keepOnOneThread(): the program being traced is so small that other threads stay asleep
Napi::Value KeepOnOneThread(const Napi::CallbackInfo& info) {
  const auto& tracer = Environment::Of(info.Env()).tracer;
  if (tracer) tracer->program().one_thread = true;
  return info.Env().Undefined();
}

// keepForProgram(tensor): what is being traced may write to it
Napi::Value KeepForProgram(const Napi::CallbackInfo& info) {
  const auto& tracer = Environment::Of(info.Env()).tracer;
  if (tracer) tracer->AddWorkspace(UnwrapTensor(info.Env(), info[0], "tensor"));
  return info.Env().Undefined();
}

// stepCount(): how many steps have been traced
Napi::Value StepCount(const Napi::CallbackInfo& info) {
  const auto& tracer = Environment::Of(info.Env()).tracer;
  const size_t count = tracer ? tracer->program().steps.size() : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// resolvePending(handle): gives a pending handle its tensor, which has been computed
Napi::Value ResolvePending(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (IsDisposed(env, info[0])) return info.Env().Undefined();
  const PendingTensor* pending = PendingOf(env, info[0], "tensor");
  if (pending == nullptr) return info.Env().Undefined();
  if (!pending->tracer->ended) throw StillPending("tensor");
  const auto& values = pending->tracer->values;
  if (pending->value_id >= values.size() || !values[pending->value_id].isTensor()) {
    throw StillPending("tensor");
  }
  at::Tensor tensor = values[pending->value_id].toTensor();
  ResolveTensor(env, info[0], std::move(tensor));
  return info.Env().Undefined();
}

}  // namespace

TracingScope::TracingScope(Environment& environment, std::shared_ptr<Tracer> tracer)
    : environment_(environment), outer_(std::exchange(environment.tracer, std::move(tracer))) {}

TracingScope::~TracingScope() { environment_.tracer = std::move(outer_); }

void TraceFunction(Environment& environment, const std::shared_ptr<Tracer>& tracer, napi_value fn,
                   bool below_autograd) {
  const napi_env env = environment.env;
  if (!Napi::Value(env, fn).IsFunction()) throw Refused("fn", "a function", Describe(env, fn));
  const TracingScope scope(environment, tracer);
  Napi::Array inputs = Napi::Array::New(env, tracer->program().inputs);
  for (uint32_t i = 0; i < inputs.Length(); i++) {
    inputs.Set(i, Napi::Value(env, tracer->Pending(i)));
  }
  const std::array<napi_value, 1> argv = {inputs};
  napi_value outputs = nullptr;
  if (napi_call_function(env, Napi::Env(env).Undefined(), fn, argv.size(), argv.data(), &outputs) !=
      napi_ok) {
    throw JsThrew();
  }
  tracer->Complete(ReadArray(env, outputs, "outputs"), below_autograd);
}

void RegisterReplay(Napi::Object exports) {
  Export<Trace>(exports, "trace");
  Export<RunInChunks>(exports, "runInChunks");
  Export<WithoutTracing>(exports, "withoutTracing");
  Export<RefuseIf>(exports, "refuseIf");
  Export<KeepOnOneThread>(exports, "keepOnOneThread");
  Export<KeepForProgram>(exports, "keepForProgram");
  Export<StepCount>(exports, "stepCount");
  Export<ResolvePending>(exports, "resolvePending");
  napi_value run = nullptr;
  napi_create_function(exports.Env(), "run", NAPI_AUTO_LENGTH, Run, nullptr, &run);
  exports.Set("run", run);
  napi_value fingerprint = nullptr;
  napi_create_function(exports.Env(), "fingerprint", NAPI_AUTO_LENGTH, Fingerprint, nullptr,
                       &fingerprint);
  exports.Set("fingerprint", fingerprint);
}

}  // namespace bridge
