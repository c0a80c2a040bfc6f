#include "trace/tracer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "dispatch/dispatch.h"
#include "guard.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

BridgeError Unknown() {
  return {"PENDING", "a property of a tensor that is still to be computed cannot be inferred"};
}

bool IsAbsent(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_undefined || type == napi_null;
}

// A meta tensor: like the tensor in everything but its elements, of which it has none.
at::Tensor ToMeta(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.device().is_meta()) return tensor;
  at::Tensor meta = at::empty_strided(tensor.sizes(), tensor.strides(),
                                      tensor.options().device(c10::DeviceType::Meta));
  if (tensor.requires_grad()) meta.set_requires_grad(true);
  return meta;
}

c10::IValue ToMeta(const c10::IValue& value) {
  if (value.isTensor()) return ToMeta(value.toTensor());
  if (value.isDevice()) return c10::Device(c10::DeviceType::Meta);
  if (value.isTensorList() || value.isOptionalTensorList()) {
    c10::impl::GenericList list(value.toList().elementType());
    for (const c10::IValue& element : value.toListRef()) list.push_back(ToMeta(element));
    return list;
  }
  return value;
}

}  // namespace

Tracer::Tracer(napi_env env, const std::vector<at::Tensor>& inputs, bool detached)
    : env_(env), detached_(detached) {
  program_.inputs = program_.value_count = inputs.size();
  for (const at::Tensor& input : inputs) {
    if (!input.device().is_meta()) device_ = input.device();
    const c10::InferenceMode mode(input.is_inference());
    meta_values_.emplace_back(ToMeta(input));
  }
}

napi_value Tracer::Pending(size_t value_id) {
  return WrapPending(env_, {shared_from_this(), value_id});
}

c10::IValue Tracer::Operand(Step& step, napi_value handle, const std::string& name,
                            std::optional<size_t> entry) {
  if (const PendingTensor* pending = PendingOf(env_, handle, name)) {
    if (pending->tracer.get() != this) throw StillPending(name);
    step.slots.push_back({step.arguments.size(), entry, pending->value_id});
    return at::Tensor();
  }
  at::Tensor constant = UnwrapTensor(env_, handle, name);
  if (!constant.device().is_cpu()) device_ = constant.device();
  // A typed array's memory can be taken away by its owner.
  if (detached_ && SharesArray(constant)) {
    constant = constant.clone();
    copies_.insert(constant.unsafeGetTensorImpl());
  }
  constants_.push_back(constant);
  return constant;
}

c10::IValue Tracer::Operands(Step& step, napi_value list, const ArgumentPlan& plan) {
  const Napi::Array array = ExpectArray(env_, list, plan.name, "an array of Tensors");
  const size_t slots = step.slots.size();
  c10::impl::GenericList operands(plan.type->castRaw<c10::ListType>()->getElementType());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(env_);
    const napi_value operand = array.Get(i);
    if (plan.kind == Kind::kOptionalTensorList && IsAbsent(env_, operand)) {
      operands.push_back(c10::IValue());
      continue;
    }
    const std::string entry = plan.name + "[" + std::to_string(i) + "]";
    operands.push_back(Operand(step, operand, entry, i));
  }
  if (step.slots.size() > slots) step.lists.push_back(step.arguments.size());
  return operands;
}

c10::IValue Tracer::Argument(Step& step, napi_value value, const ArgumentPlan& plan) {
  if (!IsAbsent(env_, value)) {
    // A number that stands for a tensor is known already.
    const bool is_number = plan.takes_numbers && !Napi::Value(env_, value).IsExternal();
    if (plan.kind == Kind::kTensor && !is_number) return Operand(step, value, plan.name);
    if (plan.kind == Kind::kTensorList || plan.kind == Kind::kOptionalTensorList) {
      return Operands(step, value, plan);
    }
  }
  return ToIValue(env_, value, plan);
}

void Tracer::Add(Step step) {
  step.grad_mode = at::GradMode::is_enabled();
  step.inference_mode = c10::InferenceMode::is_enabled();
  step.first_result = program_.value_count;
  program_.steps.push_back(std::move(step));
}

void Tracer::AddConstants(const std::vector<at::Tensor>& constants) {
  for (const at::Tensor& constant : constants) {
    if (detached_ && SharesArray(constant)) {
      throw Refused("program", "one that was traced here, to run off the main thread",
                    "one of a tensor that shares a typed array's memory");
    }
    constants_.push_back(constant);
  }
}

void Tracer::AddWorkspace(const at::Tensor& tensor) { workspaces_.push_back(tensor); }

void Tracer::NoteWrite(size_t value_id) {
  const auto view = views_.find(value_id);
  const size_t root = view == views_.end() ? value_id : view->second;
  std::vector<size_t>& written = program_.written;
  if (root < program_.inputs && std::find(written.begin(), written.end(), root) == written.end()) {
    written.push_back(root);
  }
}

void Tracer::NoteWrites(const Operator& op, const Step& step) {
  if (op.outputs.written.size() > op.outputs.outs.size()) program_.repeatable = false;
  const auto is_written = [&](size_t argument) {
    return IsWritten(op.handle.schema().arguments()[argument]);
  };
  for (const Slot& slot : step.slots) {
    if (is_written(slot.argument)) NoteWrite(slot.value_id);
  }
  for (size_t i = 0; i < step.arguments.size(); i++) {
    const c10::IValue& value = step.arguments[i];
    if (!is_written(i)) continue;
    if (value.isTensor()) CheckWritten(op, i, value.toTensor());
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) CheckWritten(op, i, tensor);
  }
}

void Tracer::CheckWritten(const Operator& op, size_t argument, const at::Tensor& constant) const {
  // What is written to in a slot is known when the program runs.
  if (!constant.defined()) return;
  const std::string& name = op.arguments[argument].name;
  // It may run often, and at any time: nobody would know that the tensor has changed.
  const auto is_same = [&](const at::Tensor& workspace) { return workspace.is_same(constant); };
  if (!detached_ && std::none_of(workspaces_.begin(), workspaces_.end(), is_same)) {
    throw Refused(name, "given to what is traced or made by it, to be changed",
                  "a tensor that was there before");
  }
  if (copies_.count(constant.unsafeGetTensorImpl()) > 0) {
    throw Refused(name, "in memory of its own, to be changed off the main thread",
                  "a tensor that shares a typed array's");
  }
  // The JavaScript thread may just be using them as labels, which kernels check once and trust.
  if (!constant.is_floating_point()) {
    throw Refused(name, "of floating point, to be changed off the main thread",
                  c10::toString(constant.scalar_type()));
  }
  // Or be looking at them.
  if (op.outputs.changes_shape || constant.layout() != at::kStrided) {
    throw Refused(name, "changed in its elements only, off the main thread",
                  "a tensor whose shape or memory would change");
  }
}

// A result that is a view of an argument: every view has one such argument.
void Tracer::NoteView(const Operator& op, const Step& step) {
  const c10::AliasInfo* alias = op.handle.schema().returns().front().alias_info();
  if (alias == nullptr || alias->isWrite()) return;
  for (const Slot& slot : step.slots) {
    if (op.handle.schema().arguments()[slot.argument].alias_info() == nullptr) continue;
    const auto view = views_.find(slot.value_id);
    views_[step.first_result] = view == views_.end() ? slot.value_id : view->second;
  }
}

// What an operator makes of no tensor is on the CPU unless something else is said. Saying so makes
// its meta tensor one, too, instead of memory as large as the real one.
void Tracer::NameDevice(const Operator& op, Step& step) {
  const auto is_tensor = [](const c10::IValue& value) {
    return value.isTensor() || value.isTensorList();
  };
  if (std::any_of(step.arguments.begin(), step.arguments.end(), is_tensor)) return;
  for (size_t i = 0; i < op.arguments.size(); i++) {
    if (op.arguments[i].kind == Kind::kDevice && step.arguments[i].isNone()) {
      step.arguments[i] = c10::Device(c10::kCPU);
    }
  }
}

napi_value Tracer::Trace(const Operator& op, const napi_value* argv) {
  Step step{op.name, [handle = op.handle, outputs = op.outputs](torch::jit::Stack& stack) {
              CallOperator(handle, outputs, stack);
            }};
  for (size_t i = 0; i < op.arguments.size(); i++) {
    step.arguments.push_back(Argument(step, argv[i], op.arguments[i]));
  }
  NameDevice(op, step);
  NoteWrites(op, step);
  const auto& returns = op.handle.schema().returns();
  const Napi::Env napi(env_);
  if (op.outputs.returns_argument) {
    step.call = [call = std::move(step.call)](torch::jit::Stack& stack) {
      call(stack);
      stack.clear();
    };
    Add(std::move(step));
    return napi.Undefined();
  }
  const bool list = returns.size() == 1 && returns[0].type()->kind() == c10::TypeKind::ListType;
  if (list && !returns[0].type()->isSubtypeOf(*c10::ListType::ofTensors())) {
    throw StillPending("input");
  }
  for (const c10::Argument& result : returns) {
    if (!list && result.type()->kind() != c10::TypeKind::TensorType) throw StillPending("input");
  }
  Add(std::move(step));
  Step& added = program_.steps.back();
  // How many tensors a list holds is known only by running the step on meta tensors.
  if (list)
    added.results = CountResults();
  else
    added.results = returns.size();
  program_.value_count += added.results;
  if (!list && added.results == 1) NoteView(op, added);
  if (!list && added.results == 1) return Pending(added.first_result);
  Napi::Array results = Napi::Array::New(env_, added.results);
  for (uint32_t i = 0; i < added.results; i++) {
    results.Set(i, Napi::Value(env_, Pending(added.first_result + i)));
  }
  return results;
}

std::vector<napi_value> Tracer::Trace(std::string name,
                                      std::function<void(torch::jit::Stack&)> call,
                                      const std::vector<napi_value>& operands, size_t results) {
  Step step{std::move(name), std::move(call)};
  for (napi_value operand : operands) {
    step.arguments.push_back(Operand(step, operand, "operand"));
  }
  Add(std::move(step));
  Step& added = program_.steps.back();
  added.results = results;
  program_.value_count += results;
  std::vector<napi_value> handles;
  for (size_t i = 0; i < results; i++) handles.push_back(Pending(added.first_result + i));
  return handles;
}

torch::jit::Stack Tracer::InferStep(const Step& step) const {
  const c10::InferenceMode inference(step.inference_mode);
  const at::AutoGradMode grad(step.grad_mode && !step.inference_mode);
  for (const Slot& slot : step.slots) {
    if (!meta_values_[slot.value_id].isTensor()) throw Unknown();
  }
  torch::jit::Stack stack;
  FillArguments(step, meta_values_, stack);
  for (c10::IValue& value : stack) value = ToMeta(value);
  step.call(stack);
  for (c10::IValue& value : stack) value = ToMeta(value);
  return stack;
}

size_t Tracer::CountResults() {
  Step step = std::move(program_.steps.back());
  program_.steps.pop_back();
  InferShapes();
  program_.steps.push_back(std::move(step));
  return InferStep(program_.steps.back()).front().toTensorVector().size();
}

void Tracer::InferShapes() {
  meta_values_.resize(program_.value_count);
  for (; inferred_ < program_.steps.size(); inferred_++) {
    const Step& step = program_.steps[inferred_];
    try {
      torch::jit::Stack stack = InferStep(step);
      StoreResults(step, stack, meta_values_);
    } catch (const std::exception&) {
      // A step that refuses meta tensors refuses the real ones too, with its own message, or needs
      // elements: the shape cannot be inferred.
    }
  }
}

const at::Tensor& Tracer::MetaTensor(size_t value_id) {
  if (value_id >= program_.inputs) InferShapes();
  if (value_id >= meta_values_.size() || !meta_values_[value_id].isTensor()) throw Unknown();
  return meta_values_[value_id].toTensor();
}

void Tracer::Complete(const std::vector<napi_value>& outputs, bool below_autograd) {
  for (napi_value output : outputs) {
    const PendingTensor* pending = PendingOf(env_, output, "output");
    if (pending != nullptr && pending->tracer.get() == this) {
      program_.outputs.push_back(pending->value_id);
      continue;
    }
    // A tensor from before the trace becomes the result of a step that does nothing.
    Trace(
        "constant", [](torch::jit::Stack&) {}, {output}, 1);
    program_.outputs.push_back(program_.value_count - 1);
  }
  program_.below_autograd = below_autograd;
  program_.Complete();
}

at::Tensor InspectTensor(napi_env env, napi_value value, const std::string& argument) {
  const PendingTensor* pending = PendingOf(env, value, argument);
  if (pending == nullptr) return UnwrapTensor(env, value, argument);
  return pending->tracer->MetaTensor(pending->value_id);
}

}  // namespace bridge
