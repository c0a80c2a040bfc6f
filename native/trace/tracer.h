// The tracer: while one is active, operators become steps of a program instead of being called, and
// their results are pending handles.
//
// This way a loss that TypeScript composes of operators runs in one native call, in chunks over all
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

class Tracer : public std::enable_shared_from_this<Tracer> {
 public:
  // `inputs` are examples of what the program will be run with. `detached`: it runs later, on
  // another thread, so memory that user code could take away meanwhile has to be copied.
  Tracer(napi_env env, const std::vector<at::Tensor>& inputs, bool detached);

  // Traces the call of an operator; returns handles of its results. `argv` has a value for each of
  // the operator's arguments.
  napi_value Trace(const Operator& op, const napi_value* argv);

  // Traces another call: one that finds `operands` on its stack and leaves `results` there.
  std::vector<napi_value> Trace(std::string name, std::function<void(torch::jit::Stack&)> call,
                                const std::vector<napi_value>& operands, size_t results);

  // Notes that the value is written to.
  void NoteWrite(size_t value_id);

  // A tensor that belongs to the program: its steps may write to it.
  void AddWorkspace(const at::Tensor& tensor);

  // The tensors of a program that is a step of this one: it works on them, too.
  void AddConstants(const std::vector<at::Tensor>& constants);

  // Ends tracing: these are the outputs.
  void Complete(const std::vector<napi_value>& outputs, bool below_autograd);

  // A meta tensor like the value. Throws PENDING if its shape cannot be inferred.
  const at::Tensor& MetaTensor(size_t value_id);
  // The device of the tensors that the program works on.
  c10::Device device() const { return device_; }

  bool detached() const { return detached_; }

  napi_value Pending(size_t value_id);
  Program& program() { return program_; }
  // Tensors from before the trace that steps use.
  const std::vector<at::Tensor>& constants() const { return constants_; }

  // The values of a detached program's run; its outputs stay here when it has ended.
  Values values;
  // Whether it has ended. JavaScript thread: until then the values belong to the other thread.
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
  // The results of a step for meta tensors. Throws what the step throws.
  torch::jit::Stack InferStep(const Step& step) const;
  void InferShapes();
  // How many tensors the last step returns in its list.
  size_t CountResults();

  napi_env env_;
  bool detached_;
  c10::Device device_ = c10::Device(c10::kCPU);
  Program program_;
  std::vector<at::Tensor> constants_;
  // Those among them that are copies of tensors over typed arrays.
  std::set<const c10::TensorImpl*> copies_;
  // Tensors that belong to the program; none is freed while it traces.
  std::vector<at::Tensor> workspaces_;
  // The input that a value is a view of.
  std::map<size_t, size_t> views_;
  // By value id; empty where the shape cannot be inferred.
  Values meta_values_;
  // How many steps the meta values have gone through.
  size_t inferred_ = 0;
};

// The tensor, or a meta tensor like the one it will be.
at::Tensor InspectTensor(napi_env env, napi_value value, const std::string& argument);

}  // namespace bridge
