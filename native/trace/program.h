// Programs: traced calls of operators, run in one go, on any thread, as often as needed.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bridge {

// The values of one run by their ids: the inputs first, then the results of the steps.
using Values = std::vector<c10::IValue>;

// An argument of a step that is filled when the program runs.
struct Slot {
  size_t argument;
  // The entry of a list; absent if the argument itself is the value.
  std::optional<size_t> entry;
  size_t value_id;
};

// One call. Modes are those in which it was traced.
struct Step {
  // What errors call it.
  std::string name;
  // Takes its arguments from the stack and leaves its results there.
  std::function<void(torch::jit::Stack&)> call;
  torch::jit::Stack arguments = {};
  std::vector<Slot> slots = {};
  // The arguments that are lists with slots.
  std::vector<size_t> lists = {};
  // The value ids of its results: `results` of them, from `first_result` on. A list of tensors has
  // one for each tensor.
  size_t first_result = 0;
  size_t results = 0;
  // Values that nobody reads after this step: arguments, and results that are never used.
  std::vector<size_t> last_uses = {};
  bool grad_mode = true;
  bool inference_mode = false;
};

// What stops a run between two steps.
struct Stopped {};

// Immutable once it is complete: several threads may run it at once.
class Program {
 public:
  // The inputs have the first value ids.
  size_t inputs = 0;
  size_t value_count = 0;
  std::vector<Step> steps;
  // The value ids of the results.
  std::vector<size_t> outputs;
  // The inputs that are written to.
  std::vector<size_t> written;
  // Without autograd, whatever the steps' modes were: results are in no graph and no view is
  // tracked, which makes each call cheaper. Inputs that are written to are marked as changed.
  bool below_autograd = false;
  // Whether waking other threads for it would take longer than the work.
  bool one_thread = false;
  // Whether running it again after it has failed gives the same results: no step
  // changes a tensor in place.
  bool repeatable = true;

  // Finds the last use of every value; called once, after the last step.
  void Complete();

  // Marks the inputs that are written to as changed.
  void MarkWritten(const Values& values) const;

  // Runs all steps. `values` has an entry for every value id and holds the inputs. `at`, if
  // given, is always the step that is running; throws Stopped once `stop` is set.
  void Run(Values& values, size_t* at = nullptr, const std::atomic<bool>* stop = nullptr) const;

 private:
  void RunSteps(size_t begin, size_t end, Values& values, size_t* at,
                const std::atomic<bool>* stop) const;
  void RunStep(const Step& step, Values& values, torch::jit::Stack& stack) const;
};

// Moves what a step's call left on the stack to the values of its results.
void StoreResults(const Step& step, torch::jit::Stack& stack, Values& values);

// The arguments of a step, with its slots filled.
void FillArguments(const Step& step, const Values& values, torch::jit::Stack& stack);

}  // namespace bridge
