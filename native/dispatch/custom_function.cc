#include "dispatch/custom_function.h"

#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>
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

constexpr const char* kFunction = "function";

// How long the tensors live that the gradient is computed from.
enum class Keep {
  kGraph,   // as saved tensors of the graph: freed with it, guarded against in-place changes
  kOnce,    // until the first backward pass, which may overwrite them
  kAlways,  // as long as the function
};

struct JsFunction : torch::CustomClassHolder {
  JsFunction(napi_env env, napi_value backward) : reference(env, backward) {}

  variable_list Gradients(const at::Tensor& gradient, const variable_list* saved,
                          const std::vector<bool>& needed) const;

  JsReference reference;
  std::thread::id thread = std::this_thread::get_id();
  at::Tensor value;
  variable_list saved;
  Keep keep = Keep::kGraph;
  size_t inputs = 0;
  bool spent = false;
};

// The handles of one call into user code, disposed when it is over if nobody may keep them: the
// garbage collection would hold their memory for longer, and the engine adopts a gradient only
// where nobody else holds it.
class CallHandles {
 public:
  CallHandles(napi_env env, bool disposes) : env_(env), disposes_(disposes) {}
  ~CallHandles() {
    if (!disposes_) return;
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
  bool disposes_;
  std::vector<napi_value> handles_;
};

// Calls user code that computes gradients: one for each of `count` inputs. `disposes`: the handles
// of the call, those of its results included, are nobody's when it is over.
variable_list CallUserCode(const JsReference& reference, std::thread::id thread, size_t count,
                           bool disposes,
                           const std::function<std::vector<napi_value>(CallHandles&)>& arguments) {
  if (std::this_thread::get_id() != thread) {
    throw BridgeError("RUNTIME",
                      "the gradient of this function is computed by user code, and the backward "
                      "pass reached it on another thread");
  }
  const napi_env env = reference.env();
  const Napi::HandleScope scope(env);
  CallHandles handles(env, disposes);
  try {
    const Napi::Function backward(env, reference.Value());
    const Napi::Value result = backward.Call(arguments(handles));
    if (!result.IsArray() || result.As<Napi::Array>().Length() != count) {
      throw Refused("backward", "a function that gives one gradient for each input",
                    Describe(env, result));
    }
    variable_list gradients;
    for (uint32_t i = 0; i < count; i++) {
      gradients.push_back(
          handles.Adopt(result.As<Napi::Array>().Get(i), "gradients[" + std::to_string(i) + "]"));
    }
    // The pass goes on with these and with what the graph has saved; user code may have taken the
    // memory away.
    for (const at::Tensor& computed : gradients) {
      CheckStorage(env, computed);
      NoteInGraph(env, computed);
    }
    Environment::Of(env).shared_buffers->CheckAttached(env);
    return gradients;
  } catch (const Napi::Error& error) {
    throw JsError(std::make_shared<JsReference>(env, error.Value()));
  }
}

Napi::Array WrapAll(napi_env env, CallHandles& handles, const variable_list& tensors) {
  Napi::Array array = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < array.Length(); i++) array.Set(i, handles.Wrap(tensors[i]));
  return array;
}

variable_list JsFunction::Gradients(const at::Tensor& gradient, const variable_list* saved_tensors,
                                    const std::vector<bool>& needed) const {
  const napi_env env = reference.env();
  return CallUserCode(reference, thread, needed.size(), true,
                      [&](CallHandles& handles) -> std::vector<napi_value> {
                        Napi::Value saved_argument = Napi::Env(env).Undefined();
                        if (saved_tensors != nullptr) {
                          saved_argument = WrapAll(env, handles, *saved_tensors);
                        }
                        Napi::Array flags = Napi::Array::New(env, needed.size());
                        for (uint32_t i = 0; i < flags.Length(); i++) {
                          flags.Set(i, static_cast<bool>(needed[i]));
                        }
                        return {handles.Wrap(gradient), saved_argument, flags};
                      });
}

struct JsFunctionNode : torch::autograd::Function<JsFunctionNode> {
  static at::Tensor forward(AutogradContext* context, at::TensorList inputs,
                            const c10::intrusive_ptr<JsFunction>& function) {
    if (function->keep == Keep::kGraph)
      context->save_for_backward(std::exchange(function->saved, {}));
    function->inputs = inputs.size();
    context->saved_data[kFunction] = c10::IValue::make_capsule(function);
    return std::exchange(function->value, {});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto function = c10::static_intrusive_pointer_cast<JsFunction>(
        context->saved_data.at(kFunction).toCapsule());
    std::vector<bool> needed(function->inputs);
    for (size_t i = 0; i < needed.size(); i++) needed[i] = context->needs_input_grad(i);
    variable_list results;
    if (function->keep == Keep::kGraph) {
      const variable_list saved = context->get_saved_variables();
      results = function->Gradients(gradients[0], &saved, needed);
    } else if (function->spent) {
      results = function->Gradients(gradients[0], nullptr, needed);
    } else {
      function->spent = function->keep == Keep::kOnce;
      const variable_list saved =
          function->spent ? std::exchange(function->saved, {}) : function->saved;
      results = function->Gradients(gradients[0], &saved, needed);
    }
    // forward's last argument is not a tensor and has no gradient.
    results.emplace_back();
    return results;
  }
};

// What passes gradients on to a function on their way through an identity.
struct Hook : torch::CustomClassHolder {
  Hook(napi_env env, napi_value function) : reference(env, function) {}

  JsReference reference;
  std::thread::id thread = std::this_thread::get_id();
  // Whether gradients of outputs that nothing was computed from come as zeros.
  bool materializes = false;
};

// Tensors as they are, whose gradients a function sees and may change. Named as Python's.
struct BackwardHookFunction : torch::autograd::Function<BackwardHookFunction> {
  static variable_list forward(AutogradContext* context, at::TensorList inputs,
                               const c10::intrusive_ptr<Hook>& hook) {
    variable_list constants;
    for (const at::Tensor& input : inputs) {
      if (!input.requires_grad()) constants.push_back(input);
    }
    context->mark_non_differentiable(constants);
    context->set_materialize_grads(hook->materializes);
    context->saved_data[kFunction] = c10::IValue::make_capsule(hook);
    return inputs.vec();
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto hook =
        c10::static_intrusive_pointer_cast<Hook>(context->saved_data.at(kFunction).toCapsule());
    variable_list results =
        CallUserCode(hook->reference, hook->thread, gradients.size(), false,
                     [&](CallHandles& handles) -> std::vector<napi_value> {
                       return {WrapAll(hook->reference.env(), handles, gradients)};
                     });
    // forward's last argument is not a tensor and has no gradient.
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

// The same while tracing: value, inputs and saved tensors are operands of a step, which runs once.
napi_value TraceCustomFunction(Tracer& tracer, const c10::intrusive_ptr<JsFunction>& function,
                               const Napi::CallbackInfo& info) {
  std::vector<napi_value> operands = {info[0]};
  const auto inputs = ReadArray(info.Env(), info[1], "inputs");
  const auto saved = ReadArray(info.Env(), info[2], "saved");
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  operands.insert(operands.end(), saved.begin(), saved.end());
  const auto call = [function, count = inputs.size()](torch::jit::Stack& stack) {
    variable_list tensors;
    for (const c10::IValue& value : stack) tensors.push_back(value.toTensor());
    stack.clear();
    function->value = tensors.front().detach();
    const auto end = tensors.begin() + 1 + static_cast<std::ptrdiff_t>(count);
    function->saved.assign(end, tensors.end());
    const variable_list of(tensors.begin() + 1, end);
    tensors.clear();
    stack.emplace_back(JsFunctionNode::apply(at::TensorList(of), function));
  };
  return tracer.Trace("customFunction", call, operands, 1).front();
}

// customFunction(value, inputs, saved, keep, backward): `value`, which is in no graph, as a
// function of `inputs`. `backward(gradient, saved | undefined, needed)` gives the gradient of each
// input; its arguments and what it gives are disposed when it has returned. `saved` is undefined
// from the second backward pass on where they are kept 'once'.
Napi::Value CustomFunction(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (!info[4].IsFunction()) throw Refused("backward", "a function", Describe(env, info[4]));
  const auto function = c10::make_intrusive<JsFunction>(env, info[4]);
  function->keep = ReadKeep(info[3]);
  if (const auto& tracer = Environment::Of(env).tracer) {
    return {env, TraceCustomFunction(*tracer, function, info)};
  }
  function->saved = UnwrapTensors(env, info[2], "saved");
  const std::vector<at::Tensor> inputs = UnwrapTensors(env, info[1], "inputs");
  function->value = UnwrapTensor(env, info[0], "value").detach();
  return {env, WrapTensor(env, JsFunctionNode::apply(at::TensorList(inputs), function))};
}

// hookGradients(tensors, materializes, hook): the tensors, with a place in the graph where
// `hook(gradients)` gives what goes on to them instead. A gradient is undefined where nothing was
// computed from the tensor, or zeros if `materializes`.
Napi::Value HookGradients(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (!info[2].IsFunction()) throw Refused("hook", "a function", Describe(env, info[2]));
  const std::vector<at::Tensor> tensors = UnwrapTensors(env, info[0], "tensors");
  const auto hook = c10::make_intrusive<Hook>(env, info[2]);
  hook->materializes = info[1].ToBoolean();
  const variable_list results = BackwardHookFunction::apply(at::TensorList(tensors), hook);
  Napi::Array array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < array.Length(); i++) array.Set(i, WrapTensor(env, results[i]));
  return array;
}

}  // namespace

JsReference::JsReference(napi_env env, napi_value value)
    : env_(env), dropped_to_(Environment::Of(env).shared_buffers) {
  if (napi_create_reference(env, value, 1, &reference_) != napi_ok) throw Napi::Error::New(env);
}

JsReference::~JsReference() { dropped_to_->Drop(reference_); }

napi_value JsReference::Value() const {
  napi_value value = nullptr;
  if (napi_get_reference_value(env_, reference_, &value) != napi_ok || value == nullptr) {
    throw Napi::Error::New(env_);
  }
  return value;
}

void RegisterCustomFunction(Napi::Object exports) {
  Export<CustomFunction>(exports, "customFunction");
  Export<HookGradients>(exports, "hookGradients");
}

}  // namespace bridge
