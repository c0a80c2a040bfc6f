// Recordings: while one is on, operators are written down as steps of a program instead of called,
// and their results are handles that are pending.
//
// So a loss that TypeScript composes of operators runs in one native call, in chunks over all
// threads, or off the main thread, without being written a second time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "napi_setup.h"
#include "trace/program.h"
#include "values/ivalue.h"

namespace bridge {

struct Operator;

class Recording : public std::enable_shared_from_this<Recording> {
 public:
  // `inputs` are examples of what the program will be given. `detached`: it runs later, on another
  // thread, so that memory which scripts could take away meanwhile has to be copied.
  Recording(napi_env env, const std::vector<at::Tensor>& inputs, bool detached);

  // What the call of an operator becomes: handles of its results. `argv` has a value for each of
  // the operator's arguments.
  napi_value Record(const Operator& op, const napi_value* argv);

  // What another call becomes: one that finds `operands` on its stack and leaves `results` there.
  std::vector<napi_value> Record(std::string name, std::function<void(torch::jit::Stack&)> call,
                                 const std::vector<napi_value>& operands, size_t results);

  // That the operand at the place is written to.
  void NoteWrite(size_t place);

  // The tensors of a program that is a step of this one: it works on them, too.
  void AddConstants(const std::vector<at::Tensor>& constants);

  // The last step gives these; nothing is recorded any more.
  void Complete(const std::vector<napi_value>& outputs, bool below_autograd);

  // A tensor without elements that is like the one that will be at the place. Throws PENDING if
  // nobody can tell before it is there.
  const at::Tensor& Example(size_t place);
  // Where the tensors are that the program works on.
  c10::Device device() const { return device_; }

  bool detached() const { return detached_; }

  napi_value Pending(size_t place);
  Program& program() { return program_; }
  // The tensors that were there before, and that steps use.
  const std::vector<at::Tensor>& constants() const { return constants_; }

  // The values of a detached program's run; its outputs are left there when it has ended.
  Values values;
  // Whether it has. JavaScript thread: until then the values are the other thread's.
  bool ended = false;

 private:
  c10::IValue Operand(Step& step, napi_value handle, const std::string& name,
                      std::optional<size_t> entry = std::nullopt);
  c10::IValue Operands(Step& step, napi_value list, const ArgumentPlan& plan);
  c10::IValue Argument(Step& step, napi_value value, const ArgumentPlan& plan);
  void Add(Step step);
  void NameDevice(const Operator& op, Step& step);
  void NoteWrites(const Operator& op, const Step& step);
  // Throws INVALID_ARGUMENT for a tensor that was there before and must not be written to.
  void CheckWritten(const Operator& op, size_t argument, const at::Tensor& constant) const;
  void NoteView(const Operator& op, const Step& step);
  // The results of a step for tensors without elements. Throws what the step throws.
  torch::jit::Stack RunExample(const Step& step) const;
  void RunExamples();
  // How many tensors the last step gives in its list.
  size_t CountExamples();

  napi_env env_;
  bool detached_;
  c10::Device device_ = c10::Device(c10::kCPU);
  Program program_;
  std::vector<at::Tensor> constants_;
  // Those among them that stand for tensors over typed arrays.
  std::set<const c10::TensorImpl*> copies_;
  // The input whose memory a place shows, for places that are views of one.
  std::map<size_t, size_t> views_;
  // By place; empty where nobody can tell.
  Values examples_;
  // How many steps the examples have gone through.
  size_t examined_ = 0;
};

// The tensor, or one without elements that is like it will be.
at::Tensor InspectTensor(napi_env env, napi_value value, const std::string& argument);

}  // namespace bridge
