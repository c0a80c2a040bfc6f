#include "trace/program.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

namespace bridge {

void Program::Complete() {
  std::vector<bool> used(places, false);
  for (const size_t place : outputs) used[place] = true;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    step->last_uses.clear();
    const auto consider = [&](size_t place) {
      if (used[place]) return;
      used[place] = true;
      step->last_uses.push_back(place);
    };
    for (const Hole& hole : step->holes) consider(hole.place);
    // Results that nobody asks for go at once.
    for (size_t i = 0; i < step->results; i++) consider(step->first_result + i);
  }
}

void FillArguments(const Step& step, const Values& values, torch::jit::Stack& stack) {
  stack.assign(step.arguments.begin(), step.arguments.end());
  // The step's own list stays as it is, for other runs.
  for (const size_t list : step.lists) stack[list] = stack[list].toList().copy();
  for (const Hole& hole : step.holes) {
    if (hole.entry) {
      stack[hole.argument].toList().set(*hole.entry, values[hole.place]);
    } else {
      stack[hole.argument] = values[hole.place];
    }
  }
}

void StoreResults(const Step& step, torch::jit::Stack& stack, Values& values) {
  if (step.results == 0) return;
  if (stack.size() == 1 && stack.front().isTensorList()) {
    const auto list = stack.front().toTensorList();
    // It may be shorter for inputs of another shape than those that were recorded.
    TORCH_CHECK(list.size() == step.results, step.name, " gave ", list.size(),
                " tensors, and had given ", step.results, " when it was recorded");
    for (size_t i = 0; i < step.results; i++) values[step.first_result + i] = at::Tensor(list[i]);
    return;
  }
  for (size_t i = 0; i < step.results; i++) values[step.first_result + i] = std::move(stack[i]);
}

void Program::RunStep(const Step& step, Values& values, torch::jit::Stack& stack) const {
  FillArguments(step, values, stack);
  // The stack holds what is used here for the last time, and the call lets it go.
  const auto forget = [&] {
    for (const size_t place : step.last_uses) values[place] = c10::IValue();
  };
  forget();
  step.call(stack);
  StoreResults(step, stack, values);
  forget();
  stack.clear();
}

// Below autograd nobody else does: a graph that saved such an input must learn that it changed.
void Program::MarkWritten(const Values& values) const {
  for (const size_t input : written) {
    const at::Tensor& tensor = values[input].toTensor();
    if (!tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
  }
}

void Program::RunSteps(size_t begin, size_t end, Values& values, size_t* at,
                       const std::atomic<bool>* stop) const {
  torch::jit::Stack stack;
  for (size_t i = begin; i < end; i++) {
    if (stop != nullptr && *stop) throw Stopped{};
    if (at != nullptr) *at = i;
    RunStep(steps[i], values, stack);
  }
}

void Program::Run(Values& values, size_t* at, const std::atomic<bool>* stop) const {
  if (below_autograd) {
    MarkWritten(values);
    const at::NoGradGuard no_grad;
    const at::AutoDispatchBelowADInplaceOrView below;
    RunSteps(0, steps.size(), values, at, stop);
    return;
  }
  const auto same_modes = [this](size_t a, size_t b) {
    return steps[a].grad_mode == steps[b].grad_mode &&
           steps[a].inference_mode == steps[b].inference_mode;
  };
  for (size_t begin = 0, end = 0; begin < steps.size(); begin = end) {
    while (end < steps.size() && same_modes(begin, end)) end++;
    const c10::InferenceMode inference(steps[begin].inference_mode);
    const at::AutoGradMode grad(steps[begin].grad_mode);
    RunSteps(begin, end, values, at, stop);
  }
}

}  // namespace bridge
