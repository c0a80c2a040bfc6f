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
  std::vector<bool> used(value_count, false);
  for (const size_t value_id : outputs) used[value_id] = true;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    step->last_uses.clear();
    const auto consider = [&](size_t value_id) {
      if (used[value_id]) return;
      used[value_id] = true;
      step->last_uses.push_back(value_id);
    };
    for (const Slot& slot : step->slots) consider(slot.value_id);
    // Results that nobody asks for go at once.
    for (size_t i = 0; i < step->results; i++) consider(step->first_result + i);
  }
}

void FillArguments(const Step& step, const Values& values, torch::jit::Stack& stack) {
  stack.assign(step.arguments.begin(), step.arguments.end());
  // The step's own list stays as it is, for other runs.
  for (const size_t list : step.lists) stack[list] = stack[list].toList().copy();
  for (const Slot& slot : step.slots) {
    if (slot.entry) {
      stack[slot.argument].toList().set(*slot.entry, values[slot.value_id]);
    } else {
      stack[slot.argument] = values[slot.value_id];
    }
  }
}

void StoreResults(const Step& step, torch::jit::Stack& stack, Values& values) {
  if (step.results == 0) return;
  if (stack.size() == 1 && stack.front().isTensorList()) {
    const auto list = stack.front().toTensorList();
    // It may be shorter for inputs of another shape than those it was traced with.
    TORCH_CHECK(list.size() == step.results, step.name, " returned ", list.size(),
                " tensors, but returned ", step.results, " when it was traced");
    for (size_t i = 0; i < step.results; i++) values[step.first_result + i] = at::Tensor(list[i]);
    return;
  }
  for (size_t i = 0; i < step.results; i++) values[step.first_result + i] = std::move(stack[i]);
}

void Program::RunStep(const Step& step, Values& values, torch::jit::Stack& stack) const {
  FillArguments(step, values, stack);
  // The stack holds what is used here for the last time, and the call lets it go.
  const auto forget = [&] {
    for (const size_t value_id : step.last_uses) values[value_id] = c10::IValue();
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
