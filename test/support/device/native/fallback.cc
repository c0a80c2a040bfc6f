#include "fallback.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/List.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime.h"
#include "streams.h"
#include "views.h"

namespace fake_device {

namespace {

std::array<std::atomic<uint64_t>, kDevices> kernels_run;
std::atomic<bool> assert_on_bad_values = false;

template <size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "aten::add_" and "aten::add" are the same kernel.
std::string_view BaseName(const c10::OperatorHandle& op) {
  std::string_view name = op.schema().name();
  name.remove_prefix(std::string_view("aten::").size());
  if (!name.empty() && name.back() == '_') name.remove_suffix(1);
  return name;
}

// Elementwise kernels take a number that is a tensor on the CPU; no other kernel of CUDA does.
bool TakesCpuScalars(std::string_view name) {
  static constexpr std::array<std::string_view, 39> kNames = {"add",
                                                              "sub",
                                                              "rsub",
                                                              "mul",
                                                              "div",
                                                              "pow",
                                                              "fmod",
                                                              "remainder",
                                                              "maximum",
                                                              "minimum",
                                                              "fmax",
                                                              "fmin",
                                                              "eq",
                                                              "ne",
                                                              "lt",
                                                              "le",
                                                              "gt",
                                                              "ge",
                                                              "logical_and",
                                                              "logical_or",
                                                              "logical_xor",
                                                              "bitwise_and",
                                                              "bitwise_or",
                                                              "bitwise_xor",
                                                              "bitwise_left_shift",
                                                              "bitwise_right_shift",
                                                              "atan2",
                                                              "xlogy",
                                                              "copysign",
                                                              "hypot",
                                                              "nextafter",
                                                              "heaviside",
                                                              "where",
                                                              "lerp",
                                                              "addcmul",
                                                              "addcdiv",
                                                              "masked_fill",
                                                              "fill",
                                                              "floor_divide"};
  return Contains(kNames, name);
}

// Indices may be on the CPU for these.
bool TakesCpuIndices(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kNames = {"index", "index_put",
                                                             "_index_put_impl"};
  return Contains(kNames, name);
}

// Lengths of sequences may be on the CPU for these.
bool TakesCpuLengths(std::string_view name) {
  return name == "_ctc_loss" || name == "_ctc_loss_backward";
}

// Kernels of CUDA that assert on the device what the CPU's refuse.
bool Asserts(std::string_view name) {
  static constexpr std::array<std::string_view, 20> kNames = {"nll_loss_forward",
                                                              "nll_loss_backward",
                                                              "nll_loss2d_forward",
                                                              "nll_loss2d_backward",
                                                              "multi_margin_loss",
                                                              "multi_margin_loss_backward",
                                                              "multilabel_margin_loss_forward",
                                                              "multilabel_margin_loss_backward",
                                                              "gather",
                                                              "scatter",
                                                              "scatter_add",
                                                              "index_select",
                                                              "index_add",
                                                              "index",
                                                              "index_put",
                                                              "_index_put_impl",
                                                              "embedding",
                                                              "take",
                                                              "binary_cross_entropy",
                                                              "binary_cross_entropy_backward"};
  return Contains(kNames, name);
}

bool IsBadValue(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  if (text.rfind("Dimension out of range", 0) == 0) return false;
  constexpr std::array<const char*, 3> kTexts = {"out of bounds", "out of range",
                                                 "should be between 0 and 1"};
  return std::any_of(kTexts.begin(), kTexts.end(),
                     [&](const char* part) { return text.find(part) != std::string::npos; });
}

// Gives a view of memory that nobody reads or writes meanwhile.
bool IsView(const c10::FunctionSchema& schema) {
  return std::any_of(schema.returns().begin(), schema.returns().end(), [](const auto& result) {
    return result.alias_info() != nullptr && !result.alias_info()->isWrite();
  });
}

c10::IValue Mapped(const c10::IValue& value, const std::function<at::Tensor(at::Tensor)>& change) {
  if (value.isTensor()) return change(value.toTensor());
  if (value.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(change(tensor));
    return list;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> list;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      list.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    }
    return list;
  }
  return value;
}

void ForEachTensor(const c10::IValue& value, const std::function<void(const at::Tensor&)>& visit) {
  Mapped(value, [&](at::Tensor tensor) {
    if (tensor.defined()) visit(tensor);
    return tensor;
  });
}

// The device of a call; refuses those whose tensors are on several.
c10::Device CommonDevice(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments) {
  std::optional<c10::Device> common;
  const auto find = [&](const at::Tensor& tensor) {
    if (!common && tensor.device().type() == kType) common = tensor.device();
  };
  for (const c10::IValue& value : arguments) {
    if (value.isDevice() && value.toDevice().type() == kType) common = value.toDevice();
    ForEachTensor(value, find);
  }
  TORCH_CHECK(common, op.schema().name(), ": no argument says which device is meant");
  if (!common->has_index()) common->set_index(CurrentDevice());
  const std::string_view name = BaseName(op);
  for (const c10::IValue& value : arguments) {
    const bool anywhere =
        TakesCpuLengths(name) || (value.isOptionalTensorList() && TakesCpuIndices(name));
    ForEachTensor(value, [&](const at::Tensor& tensor) {
      if (tensor.device() == *common) return;
      if (tensor.is_cpu() && (anywhere || (tensor.dim() == 0 && TakesCpuScalars(name)))) return;
      TORCH_CHECK(false, "Expected all tensors to be on the same device, but found at least two ",
                  "devices, ", *common, " and ", tensor.device(),
                  "! (when checking the arguments of ", op.schema().name(), ")");
    });
  }
  return *common;
}

bool IsGenerator(const c10::Argument& argument) {
  const c10::TypePtr type = argument.type();
  if (type->kind() == c10::TypeKind::GeneratorType) return true;
  const auto optional = type->cast<c10::OptionalType>();
  return optional && optional->getElementType()->kind() == c10::TypeKind::GeneratorType;
}

torch::jit::Stack CpuArguments(const c10::FunctionSchema& schema, CpuViews& views,
                               const std::vector<c10::IValue>& arguments, c10::Device device) {
  torch::jit::Stack stack;
  for (size_t i = 0; i < arguments.size(); i++) {
    const c10::IValue& value = arguments[i];
    if (value.isDevice()) {
      stack.emplace_back(c10::Device(c10::kCPU));
    } else if (IsGenerator(schema.arguments()[i])) {
      stack.emplace_back(value.isNone() ? CpuGeneratorOf(device.index())
                                        : CpuGeneratorOf(value.toGenerator()));
    } else {
      stack.push_back(Mapped(value, [&](at::Tensor tensor) { return views.Of(tensor); }));
    }
  }
  return stack;
}

void CallCpu(const c10::OperatorHandle& op, torch::jit::Stack& stack) {
  const at::AutoDispatchBelowADInplaceOrView below;
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
}

// The same call with values that no kernel refuses: what it gives has the right shape, and no
// meaning, as after an assertion.
torch::jit::Stack Harmless(const c10::OperatorHandle& op, const torch::jit::Stack& arguments) {
  const bool probabilities = BaseName(op).substr(0, 6) == "binary";
  torch::jit::Stack stack;
  for (size_t i = 0; i < arguments.size(); i++) {
    const c10::AliasInfo* alias = op.schema().arguments()[i].alias_info();
    const bool written = alias != nullptr && alias->isWrite();
    stack.push_back(Mapped(arguments[i], [&](at::Tensor tensor) {
      if (written || !tensor.defined()) return tensor;
      if (tensor.scalar_type() == at::kLong) return at::zeros_like(tensor);
      return probabilities ? at::full_like(tensor, 0.5) : tensor;
    }));
  }
  return stack;
}

void RunKernel(const c10::OperatorHandle& op, torch::jit::Stack& stack, c10::Device device) {
  Launch(device.index());
  CountKernel(device.index());
  if (!assert_on_bad_values || !Asserts(BaseName(op))) {
    CallCpu(op, stack);
    return;
  }
  const torch::jit::Stack arguments = stack;
  try {
    CallCpu(op, stack);
  } catch (const c10::Error& error) {
    if (!IsBadValue(error)) throw;
    Assert(device.index());
    stack = Harmless(op, arguments);
    CallCpu(op, stack);
  }
}

}  // namespace

uint64_t KernelsRun(c10::DeviceIndex index) {
  CheckIndex(index);
  return kernels_run[static_cast<size_t>(index)];
}

void CountKernel(c10::DeviceIndex index) { kernels_run[static_cast<size_t>(index)]++; }

void AssertOnBadValues(bool on) { assert_on_bad_values = on; }

void Fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const c10::FunctionSchema& schema = op.schema();
  const auto count = static_cast<ptrdiff_t>(schema.arguments().size());
  const std::vector<c10::IValue> arguments(stack->end() - count, stack->end());
  stack->erase(stack->end() - count, stack->end());

  const c10::Device device = CommonDevice(op, arguments);
  const c10::DeviceGuard guard(device);
  CpuViews views;
  torch::jit::Stack results = CpuArguments(schema, views, arguments, device);
  if (IsView(schema)) {
    CallCpu(op, results);
  } else {
    RunKernel(op, results, device);
    views.ResizeOriginals();
  }
  for (const c10::IValue& result : results) {
    stack->push_back(Mapped(result, [&](at::Tensor tensor) { return views.Back(tensor, device); }));
  }
}

}  // namespace fake_device
