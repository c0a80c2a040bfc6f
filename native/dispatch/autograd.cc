#include "dispatch/autograd.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/AutogradState.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "distributed/tasks.h"
#include "guard.h"
#include "trace/background.h"
#include "trace/tracer.h"
#include "values/ivalue.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

bool IsAbsent(const Napi::Value& value) { return value.IsUndefined() || value.IsNull(); }

bool ReadFlag(const Napi::Value& value, const char* argument, bool fallback) {
  if (IsAbsent(value)) return fallback;
  if (!value.IsBoolean()) throw Refused(argument, "true or false", Describe(value.Env(), value));
  return value.As<Napi::Boolean>();
}

// Gradients of outputs: an entry may be absent where the output is a scalar.
std::vector<at::Tensor> ReadGradients(const Napi::Value& value, const char* argument) {
  if (IsAbsent(value)) return {};
  const Napi::Array array = ExpectArray(value.Env(), value, argument);
  std::vector<at::Tensor> gradients;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value element = array.Get(i);
    gradients.push_back(IsAbsent(element) ? at::Tensor()
                                          : UnwrapTensor(value.Env(), element, argument));
  }
  return gradients;
}

std::optional<bool> ReadRetainGraph(const Napi::Value& value) {
  if (IsAbsent(value)) return std::nullopt;
  return ReadFlag(value, "retainGraph", false);
}

// Reading arrays may run user code, which may take memory away that was looked at before. The graph
// holds tensors that no argument names, too; with a graph of its own, it saves gradients.
void CheckMemory(napi_env env, std::initializer_list<const std::vector<at::Tensor>*> arguments) {
  for (const auto* tensors : arguments) {
    for (const at::Tensor& tensor : *tensors) {
      CheckStorage(env, tensor);
      NoteInGraph(env, tensor);
    }
  }
  Environment::Of(env).shared_buffers->CheckAttached(env);
}

// The engine has a thread for each device but the CPU, which no user code can run on. While this
// lives, the nodes of every device run on the thread that asks for gradients. That queues the work
// of a device as they do.
class OnThisThread {
 public:
  OnThisThread() { State().set_multithreading_enabled(false); }
  ~OnThisThread() { State().set_multithreading_enabled(before_); }
  OnThisThread(const OnThisThread&) = delete;
  OnThisThread& operator=(const OnThisThread&) = delete;

 private:
  static c10::AutogradState& State() { return c10::AutogradState::get_tls_state(); }

  const bool before_ = State().get_multithreading_enabled();
};

// A backward pass adds to gradients that are there in place. Throws IN_USE if a call off the main
// thread reads one of those: of `inputs`, or else of every leaf that the graph of `tensors`
// reaches.
void CheckGradientsUnused(const Environment& environment, const std::vector<at::Tensor>& tensors,
                          const std::vector<at::Tensor>& inputs) {
  if (!environment.background || !environment.background->IsBusy()) return;
  const auto check = [&](const at::Tensor& leaf) {
    const at::Tensor& gradient = leaf.grad();
    if (gradient.defined()) CheckUnused(environment, gradient);
  };
  if (!inputs.empty()) {
    std::for_each(inputs.begin(), inputs.end(), check);
    return;
  }
  std::vector<torch::autograd::Node*> open;
  std::unordered_set<torch::autograd::Node*> seen;
  const auto visit = [&](torch::autograd::Node* node) {
    if (node != nullptr && seen.insert(node).second) open.push_back(node);
  };
  for (const at::Tensor& tensor : tensors) {
    if (tensor.requires_grad()) {
      visit(torch::autograd::impl::gradient_edge(tensor).function.get());
    }
  }
  while (!open.empty()) {
    torch::autograd::Node* node = open.back();
    open.pop_back();
    if (const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node)) {
      check(leaf->variable);
    }
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
}

// Whether Gloo has thrown it, which has no kind of error of its own.
bool SaysRankIsLost(const std::exception& error) {
  return std::string_view(error.what()).find("gloo/") != std::string_view::npos;
}

// backward(tensors, gradients?, retainGraph?, createGraph?, inputs?)
Napi::Value Backward(const Napi::CallbackInfo& info) {
  const auto tensors = UnwrapTensors(info.Env(), info[0], "tensors");
  const auto gradients = ReadGradients(info[1], "gradients");
  const auto retain_graph = ReadRetainGraph(info[2]);
  const bool create_graph = ReadFlag(info[3], "createGraph", false);
  const auto inputs =
      IsAbsent(info[4]) ? std::vector<at::Tensor>() : UnwrapTensors(info.Env(), info[4], "inputs");
  CheckMemory(info.Env(), {&tensors, &gradients, &inputs});
  // With a graph of their own, gradients are added to new tensors.
  if (!create_graph) CheckGradientsUnused(Environment::Of(info.Env()), tensors, inputs);
  const OnThisThread on_this_thread;
  try {
    torch::autograd::backward(tensors, gradients, retain_graph, create_graph, inputs);
  } catch (const std::exception& error) {
    const auto& tasks = Environment::Of(info.Env()).tasks;
    if (!tasks || !SaysRankIsLost(error)) throw;
    throw KeepFailure(tasks->backward_of);
  }
  return info.Env().Undefined();
}

struct GradOptions {
  std::optional<bool> retain_graph;
  bool create_graph;
  bool allow_unused;
};

// The gradients of outputs with respect to inputs, traced: both are operands of a step.
Napi::Value TraceGrad(const Napi::CallbackInfo& info, const GradOptions& options) {
  const napi_env env = info.Env();
  if (!IsAbsent(info[2])) throw Refused("gradOutputs", "absent", Describe(env, info[2]));
  const auto outputs = ReadArray(env, info[0], "outputs");
  const auto inputs = ReadArray(env, info[1], "inputs");
  std::vector<napi_value> operands = outputs;
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  const auto call = [options, count = outputs.size()](torch::jit::Stack& stack) {
    std::vector<at::Tensor> tensors;
    for (const c10::IValue& value : stack) tensors.push_back(value.toTensor());
    stack.clear();
    const std::vector<at::Tensor> sources(tensors.begin(), tensors.begin() + count);
    const std::vector<at::Tensor> targets(tensors.begin() + count, tensors.end());
    tensors.clear();
    const OnThisThread on_this_thread;
    for (at::Tensor& gradient : torch::autograd::grad(sources, targets, {}, options.retain_graph,
                                                      options.create_graph, options.allow_unused)) {
      stack.emplace_back(std::move(gradient));
    }
  };
  const auto results = Environment::Of(env).tracer->Trace("grad", call, operands, inputs.size());
  Napi::Array array = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); i++) array.Set(i, Napi::Value(env, results[i]));
  return array;
}

// grad(outputs, inputs, gradOutputs?, retainGraph?, createGraph?, allowUnused?)
Napi::Value Grad(const Napi::CallbackInfo& info) {
  const GradOptions options{ReadRetainGraph(info[3]), ReadFlag(info[4], "createGraph", false),
                            ReadFlag(info[5], "allowUnused", false)};
  if (Environment::Of(info.Env()).tracer) return TraceGrad(info, options);
  const auto outputs = UnwrapTensors(info.Env(), info[0], "outputs");
  const auto inputs = UnwrapTensors(info.Env(), info[1], "inputs");
  const auto gradients = ReadGradients(info[2], "gradOutputs");
  CheckMemory(info.Env(), {&outputs, &inputs, &gradients});
  const OnThisThread on_this_thread;
  const auto results = torch::autograd::grad(outputs, inputs, gradients, options.retain_graph,
                                             options.create_graph, options.allow_unused);
  Napi::Array array = Napi::Array::New(info.Env(), results.size());
  for (size_t i = 0; i < results.size(); i++) {
    if (!results[i].defined()) continue;
    array.Set(static_cast<uint32_t>(i),
              Napi::Value(info.Env(), WrapTensor(info.Env(), results[i])));
  }
  return array;
}

// with<Mode>(enabled, fn): the mode holds while fn runs and is restored however fn ends.
template <typename Mode>
Napi::Value WithMode(const Napi::CallbackInfo& info) {
  const bool enabled = ReadFlag(info[0], "enabled", true);
  if (!info[1].IsFunction()) throw Refused("fn", "a function", Describe(info.Env(), info[1]));
  const Mode mode(enabled);
  napi_value result = nullptr;
  // Not Napi::Function::Call: it looks into what is thrown, which may be anything.
  if (napi_call_function(info.Env(), info.Env().Undefined(), info[1], 0, nullptr, &result) !=
      napi_ok) {
    throw JsThrew();
  }
  return {info.Env(), result};
}

Napi::Value IsGradEnabled(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at::GradMode::is_enabled());
}

Napi::Value IsInferenceModeEnabled(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), c10::InferenceMode::is_enabled());
}

}  // namespace

void RegisterAutograd(Napi::Object exports) {
  Export<Backward>(exports, "backward");
  Export<Grad>(exports, "grad");
  Export<WithMode<at::AutoGradMode>>(exports, "withGradMode");
  Export<WithMode<c10::InferenceMode>>(exports, "withInferenceMode");
  Export<IsGradEnabled>(exports, "isGradEnabled");
  Export<IsInferenceModeEnabled>(exports, "isInferenceModeEnabled");
}

}  // namespace bridge
