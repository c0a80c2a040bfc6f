#include "dispatch/outputs.h"

#include <ATen/MemoryOverlap.h>
#include <ATen/core/DimVector.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <list>
#include <sstream>
#include <string>
#include <utility>

#include "dispatch/overlap.h"
#include "guard.h"

namespace bridge {

namespace {

std::string Text(at::IntArrayRef sizes) {
  std::ostringstream text;
  text << sizes;
  return text.str();
}

// Whether it has elements at places that strides give.
bool IsStrided(const at::Tensor& tensor) {
  return tensor.defined() && tensor.layout() == at::kStrided && tensor.has_storage() &&
         !tensor.is_meta();
}

// The bytes from the start of its storage that a tensor reaches.
bool FitsStorage(const at::Tensor& tensor) {
  if (!IsStrided(tensor) || tensor.numel() == 0) return true;
  __int128 last = tensor.storage_offset();
  for (int64_t dim = 0; dim < tensor.dim(); dim++) {
    last += static_cast<__int128>(tensor.size(dim) - 1) * tensor.stride(dim);
  }
  return last >= 0 && (last + 1) * tensor.element_size() <= tensor.storage().nbytes();
}

// A tensor that has the shape which it had once this goes out of scope, unless the new one is kept.
class KeptShape {
 public:
  explicit KeptShape(const at::Tensor& tensor)
      : tensor_(tensor),
        sizes_(tensor.sizes()),
        strides_(tensor.strides()),
        offset_(tensor.storage_offset()) {}
  KeptShape(const KeptShape&) = delete;
  KeptShape& operator=(const KeptShape&) = delete;
  ~KeptShape() {
    if (is_changed_kept_ || (tensor_.sizes() == sizes_ && tensor_.strides() == strides_)) return;
    tensor_.unsafeGetTensorImpl()->set_sizes_and_strides(sizes_, strides_, offset_);
  }

  void KeepChange() { is_changed_kept_ = true; }
  const at::Tensor& tensor() const { return tensor_; }
  at::IntArrayRef before() const { return sizes_; }

 private:
  at::Tensor tensor_;
  at::DimVector sizes_;
  at::DimVector strides_;
  int64_t offset_;
  bool is_changed_kept_ = false;
};

void RefuseOverlapWithItself(const at::Tensor& tensor) {
  if (!IsStrided(tensor) || at::has_internal_overlap(tensor) != at::MemOverlap::Yes) return;
  throw BridgeError("RUNTIME",
                    "unsupported operation: more than one element of the written-to tensor refers "
                    "to a single memory location. Please clone() the tensor before performing the "
                    "operation.");
}

// One call of an operator that writes to arguments.
class Writing {
 public:
  Writing(const Outputs& outputs, torch::jit::Stack& stack) : outputs_(outputs), stack_(stack) {
    for (const size_t out : outputs.outs) {
      if (stack[out].isTensor()) RefuseOverlapWithItself(stack[out].toTensor());
      if (!stack[out].isTensorList()) continue;
      for (const at::Tensor& tensor : stack[out].toTensorVector()) RefuseOverlapWithItself(tensor);
    }
    if (!outputs.pointwise) Separate();
    for (const size_t out : outputs.outs) {
      if (stack[out].isTensor() && stack[out].toTensor().defined()) {
        outs_.emplace_back(stack[out].toTensor());
      }
    }
    // The others may have another shape afterwards, such as that of transpose_.
    if (outputs.pointwise) return;
    for (const size_t written : outputs.written) {
      if (!IsOut(written) && stack[written].isTensor() && IsStrided(stack[written].toTensor())) {
        changed_.emplace_back(stack[written].toTensor());
      }
    }
  }

  // After the call.
  void Finish() {
    for (KeptShape& out : outs_) {
      const at::IntArrayRef now = out.tensor().sizes();
      if (now == out.before()) continue;
      // What has no elements takes the shape of the result, as in PyTorch; others keep theirs.
      if (c10::multiply_integers(out.before()) != 0 || !FitsStorage(out.tensor())) {
        throw Refused("out", "of shape " + Text(now), Text(out.before()));
      }
      out.KeepChange();
    }
    for (KeptShape& changed : changed_) {
      if (!FitsStorage(changed.tensor())) {
        throw BridgeError("RUNTIME", "the result would reach beyond its memory");
      }
      changed.KeepChange();
    }
    for (const auto& [place, computed] : apart_) place.copy_(computed);
  }

 private:
  bool IsOut(size_t argument) const {
    return std::find(outputs_.outs.begin(), outputs_.outs.end(), argument) != outputs_.outs.end();
  }

  bool OverlapsAnother(const at::Tensor& tensor, size_t argument) const {
    for (size_t i = 0; i < stack_.size(); i++) {
      if (i == argument) continue;
      const auto overlaps = [&](const at::Tensor& other) {
        return IsStrided(other) && OverlapOf(tensor, other) != Overlap::kNone;
      };
      if (stack_[i].isTensor() && overlaps(stack_[i].toTensor())) return true;
      if (!stack_[i].isTensorList()) continue;
      const auto tensors = stack_[i].toTensorVector();
      if (std::any_of(tensors.begin(), tensors.end(), overlaps)) return true;
    }
    return false;
  }

  void Separate() {
    for (const size_t written : outputs_.written) {
      if (!stack_[written].isTensor() || !IsStrided(stack_[written].toTensor())) continue;
      at::Tensor tensor = stack_[written].toTensor();
      if (!IsOut(written)) {
        CopyIntegers(tensor, written);
      } else if (!tensor.is_contiguous() || OverlapsAnother(tensor, written)) {
        at::Tensor computed = at::empty(tensor.sizes(), tensor.options());
        stack_[written] = computed;
        apart_.emplace_back(std::move(tensor), std::move(computed));
      }
    }
  }

  void CopyIntegers(const at::Tensor& tensor, size_t argument) {
    for (size_t i = 0; i < stack_.size(); i++) {
      if (i == argument || !stack_[i].isTensor()) continue;
      const at::Tensor& other = stack_[i].toTensor();
      if (!IsStrided(other) || !at::isIntegralType(other.scalar_type(), true)) continue;
      if (OverlapOf(tensor, other) != Overlap::kNone) stack_[i] = other.clone();
    }
  }

  const Outputs& outputs_;
  torch::jit::Stack& stack_;
  std::list<KeptShape> outs_;
  std::list<KeptShape> changed_;
  std::vector<std::pair<at::Tensor, at::Tensor>> apart_;
};

void CheckResults(const torch::jit::Stack& results) {
  for (const c10::IValue& result : results) {
    if (result.isTensor()) CheckResult(result.toTensor());
    if (!result.isTensorList()) continue;
    for (const at::Tensor& tensor : result.toTensorVector()) CheckResult(tensor);
  }
}

}  // namespace

void CheckResult(const at::Tensor& result) {
  if (FitsStorage(result)) return;
  throw BridgeError("RUNTIME", "the result, of shape " + Text(result.sizes()) + " and strides " +
                                   Text(result.strides()) + ", would reach beyond its memory");
}

bool IsWritten(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

Outputs::Outputs(const c10::OperatorHandle& handle)
    : returns_argument(handle.schema().returns().size() == 1),
      gives_views(false),
      pointwise(handle.hasTag(at::Tag::pointwise)),
      changes_shape(handle.hasTag(at::Tag::inplace_view) ||
                    handle.operator_name().name == "aten::set_data") {
  const c10::FunctionSchema& schema = handle.schema();
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    if (!IsWritten(schema.arguments()[i])) continue;
    written.push_back(i);
    if (schema.arguments()[i].kwarg_only()) outs.push_back(i);
  }
  for (const c10::Argument& result : schema.returns()) {
    returns_argument = returns_argument && IsWritten(result);
    gives_views = gives_views || (result.alias_info() != nullptr && !IsWritten(result));
  }
}

void CallOperator(const c10::OperatorHandle& handle, const Outputs& outputs,
                  torch::jit::Stack& stack) {
  if (outputs.written.empty()) {
    handle.callBoxed(stack);
  } else {
    // The call takes its arguments from the stack, and leaves those that it has changed.
    Writing writing(outputs, stack);
    handle.callBoxed(stack);
    writing.Finish();
  }
  if (outputs.gives_views) CheckResults(stack);
}

}  // namespace bridge
