#include "dispatch/custom_function.h"

#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "guard.h"
#include "trace/tracer.h"
#include "values/ivalue.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* kScript = "script";

// How long the tensors live that the gradient is computed from.
enum class Keep {
  kGraph,   // as saved tensors of the graph: freed with it, guarded against in-place changes
  kOnce,    // until the first backward pass, which may overwrite them
  kAlways,  // as long as the function
};

struct Script : torch::CustomClassHolder {
  Script(napi_env env, napi_value backward) : reference(env, backward) {}

  variable_list Gradients(const at::Tensor& gradient, const variable_list* saved,
                          const std::vector<bool>& needed) const;

  ScriptReference reference;
  std::thread::id thread = std::this_thread::get_id();
  at::Tensor value;
  variable_list saved;
  Keep keep = Keep::kGraph;
  size_t inputs = 0;
  bool spent = false;
};

// The handles of one call into the script, disposed when it is over: the garbage collection would
// hold their memory for longer, and the engine adopts a gradient only where nobody else holds it.
class CallHandles {
 public:
  explicit CallHandles(napi_env env) : env_(env) {}
  ~CallHandles() {
    try {
      for (napi_value handle : handles_) DisposeTensor(env_, handle);
    } catch (...) {
      // The environment is shutting down and answers no more; its finalizers free what is left.
    }
  }
  CallHandles(const CallHandles&) = delete;
  CallHandles& operator=(const CallHandles&) = delete;

  Napi::Value Wrap(const at::Tensor& tensor) {
    if (!tensor.defined()) return Napi::Env(env_).Undefined();
    handles_.push_back(WrapTensor(env_, tensor));
    return {env_, handles_.back()};
  }

  at::Tensor Adopt(const Napi::Value& element, const std::string& argument) {
    if (element.IsUndefined()) return {};
    at::Tensor tensor = UnwrapTensor(env_, element, argument);
    handles_.push_back(element);
    return tensor;
  }

 private:
  napi_env env_;
  std::vector<napi_value> handles_;
};

variable_list Script::Gradients(const at::Tensor& gradient, const variable_list* saved_tensors,
                                const std::vector<bool>& needed) const {
  if (std::this_thread::get_id() != thread) {
    throw BridgeError("RUNTIME",
                      "the gradient of this function is computed by a script, and the backward "
                      "pass reached it on another thread");
  }
  const napi_env env = reference.env();
  const Napi::HandleScope scope(env);
  CallHandles handles(env);
  Napi::Value saved_argument = Napi::Env(env).Undefined();
  if (saved_tensors != nullptr) {
    Napi::Array array = Napi::Array::New(env, saved_tensors->size());
    for (uint32_t i = 0; i < array.Length(); i++) array.Set(i, handles.Wrap((*saved_tensors)[i]));
    saved_argument = array;
  }
  Napi::Array flags = Napi::Array::New(env, needed.size());
  for (uint32_t i = 0; i < flags.Length(); i++) flags.Set(i, static_cast<bool>(needed[i]));
  try {
    const Napi::Function backward(env, reference.Value());
    const Napi::Value result = backward.Call({handles.Wrap(gradient), saved_argument, flags});
    if (!result.IsArray() || result.As<Napi::Array>().Length() != needed.size()) {
      throw Refused("backward", "a function that gives one gradient for each input",
                    Describe(env, result));
    }
    variable_list gradients;
    for (uint32_t i = 0; i < needed.size(); i++) {
      gradients.push_back(
          handles.Adopt(result.As<Napi::Array>().Get(i), "gradients[" + std::to_string(i) + "]"));
    }
    // The pass goes on with these and with what the graph has saved; scripts may have taken the
    // memory away.
    for (const at::Tensor& computed : gradients) CheckStorage(env, computed);
    Environment::Of(env).shared_buffers->CheckAttached(env);
    return gradients;
  } catch (const Napi::Error& error) {
    throw ScriptError(std::make_shared<ScriptReference>(env, error.Value()));
  }
}

struct ScriptedFunction : torch::autograd::Function<ScriptedFunction> {
  static at::Tensor forward(AutogradContext* context, at::TensorList inputs,
                            const c10::intrusive_ptr<Script>& script) {
    if (script->keep == Keep::kGraph) context->save_for_backward(std::exchange(script->saved, {}));
    script->inputs = inputs.size();
    context->saved_data[kScript] = c10::IValue::make_capsule(script);
    return std::exchange(script->value, {});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto script =
        c10::static_intrusive_pointer_cast<Script>(context->saved_data.at(kScript).toCapsule());
    std::vector<bool> needed(script->inputs);
    for (size_t i = 0; i < needed.size(); i++) needed[i] = context->needs_input_grad(i);
    variable_list results;
    if (script->keep == Keep::kGraph) {
      const variable_list saved = context->get_saved_variables();
      results = script->Gradients(gradients[0], &saved, needed);
    } else if (script->spent) {
      results = script->Gradients(gradients[0], nullptr, needed);
    } else {
      script->spent = script->keep == Keep::kOnce;
      const variable_list saved = script->spent ? std::exchange(script->saved, {}) : script->saved;
      results = script->Gradients(gradients[0], &saved, needed);
    }
    // forward's last argument is no tensor and has no gradient.
    results.emplace_back();
    return results;
  }
};

Keep ReadKeep(const Napi::Value& value) {
  const std::string keep = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (keep == "graph") return Keep::kGraph;
  if (keep == "once") return Keep::kOnce;
  if (keep == "always") return Keep::kAlways;
  throw Refused("keep", "'graph', 'once' or 'always'", Describe(value.Env(), value));
}

// The same, written down: value, inputs and saved tensors are operands of a step, which runs once.
napi_value RecordScripted(Recording& recording, const c10::intrusive_ptr<Script>& script,
                          const Napi::CallbackInfo& info) {
  std::vector<napi_value> operands = {info[0]};
  const auto inputs = ReadArray(info.Env(), info[1], "inputs");
  const auto saved = ReadArray(info.Env(), info[2], "saved");
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  operands.insert(operands.end(), saved.begin(), saved.end());
  const auto call = [script, count = inputs.size()](torch::jit::Stack& stack) {
    variable_list tensors;
    for (const c10::IValue& value : stack) tensors.push_back(value.toTensor());
    stack.clear();
    script->value = tensors.front().detach();
    const auto end = tensors.begin() + 1 + static_cast<std::ptrdiff_t>(count);
    script->saved.assign(end, tensors.end());
    const variable_list of(tensors.begin() + 1, end);
    tensors.clear();
    stack.emplace_back(ScriptedFunction::apply(at::TensorList(of), script));
  };
  return recording.Record("recordFunction", call, operands, 1).front();
}

// recordFunction(value, inputs, saved, keep, backward): `value`, which is in no graph, as a
// function of `inputs`. `backward(gradient, saved | undefined, needed)` gives the gradient of each
// input; its arguments and what it gives are disposed when it has returned. `saved` is undefined
// from the second backward pass on where they are kept 'once'.
Napi::Value RecordFunction(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (!info[4].IsFunction()) throw Refused("backward", "a function", Describe(env, info[4]));
  const auto script = c10::make_intrusive<Script>(env, info[4]);
  script->keep = ReadKeep(info[3]);
  if (const auto& recording = Environment::Of(env).recording) {
    return {env, RecordScripted(*recording, script, info)};
  }
  script->saved = UnwrapTensors(env, info[2], "saved");
  const std::vector<at::Tensor> inputs = UnwrapTensors(env, info[1], "inputs");
  script->value = UnwrapTensor(env, info[0], "value").detach();
  return {env, WrapTensor(env, ScriptedFunction::apply(at::TensorList(inputs), script))};
}

}  // namespace

ScriptReference::ScriptReference(napi_env env, napi_value value)
    : env_(env), dropped_to_(Environment::Of(env).shared_buffers) {
  if (napi_create_reference(env, value, 1, &reference_) != napi_ok) throw Napi::Error::New(env);
}

ScriptReference::~ScriptReference() { dropped_to_->Drop(reference_); }

napi_value ScriptReference::Value() const {
  napi_value value = nullptr;
  if (napi_get_reference_value(env_, reference_, &value) != napi_ok || value == nullptr) {
    throw Napi::Error::New(env_);
  }
  return value;
}

void RegisterScriptedFunction(Napi::Object exports) {
  Export<RecordFunction>(exports, "recordFunction");
}

}  // namespace bridge
