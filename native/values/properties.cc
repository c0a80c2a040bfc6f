#include "values/properties.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <optional>

#include "guard.h"
#include "trace/tracer.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

const at::Tensor& Self(const Napi::CallbackInfo& info) {
  return UnwrapTensor(info.Env(), info[0], "tensor");
}

// What can be asked of a tensor that is still to be computed, too.
at::Tensor Inspected(const Napi::CallbackInfo& info) {
  return InspectTensor(info.Env(), info[0], "tensor");
}

Napi::Value Sizes(napi_env env, at::IntArrayRef sizes) {
  Napi::Array array = Napi::Array::New(env, sizes.size());
  for (size_t i = 0; i < sizes.size(); i++) {
    array.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(sizes[i])));
  }
  return array;
}

Napi::Value Shape(const Napi::CallbackInfo& info) {
  return Sizes(info.Env(), Inspected(info).sizes());
}

Napi::Value Strides(const Napi::CallbackInfo& info) {
  return Sizes(info.Env(), Inspected(info).strides());
}

Napi::Value StorageOffset(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Inspected(info).storage_offset()));
}

// storageBytes(tensor): where the memory begins that the tensor shows part of, and how long it is;
// undefined for a tensor without one, such as a sparse one.
Napi::Value StorageBytes(const Napi::CallbackInfo& info) {
  const at::Tensor& tensor = Self(info);
  if (!tensor.has_storage()) return info.Env().Undefined();
  const c10::Storage& storage = tensor.storage();
  const auto address = reinterpret_cast<uintptr_t>(storage.data());
  Napi::Array found = Napi::Array::New(info.Env(), 2);
  found.Set(0U, Napi::BigInt::New(info.Env(), static_cast<uint64_t>(address)));
  found.Set(1U, Napi::Number::New(info.Env(), static_cast<double>(storage.nbytes())));
  return found;
}

Napi::Value DTypeCode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<int>(Inspected(info).scalar_type()));
}

Napi::Value DeviceName(const Napi::CallbackInfo& info) {
  const PendingTensor* pending = PendingOf(info.Env(), info[0], "tensor");
  const c10::Device device = pending ? pending->tracer->device() : Self(info).device();
  return Napi::String::New(info.Env(), device.str());
}

// shareDevice(...tensors): whether all of them are on one device, but for numbers on the CPU, which
// go with any. Of tensors that are gone or still to be computed nothing is said.
Napi::Value ShareDevice(const Napi::CallbackInfo& info) {
  std::optional<c10::Device> shared;
  for (size_t i = 0; i < info.Length(); i++) {
    if (IsDisposed(info.Env(), info[i]) || PendingOf(info.Env(), info[i], "tensor")) continue;
    const at::Tensor& tensor = UnwrapTensor(info.Env(), info[i], "tensor");
    if (tensor.is_cpu() && tensor.dim() == 0) continue;
    if (shared && *shared != tensor.device()) return Napi::Boolean::New(info.Env(), false);
    shared = tensor.device();
  }
  return Napi::Boolean::New(info.Env(), true);
}

// shareShape(a, b): whether both have the same sizes.
Napi::Value ShareShape(const Napi::CallbackInfo& info) {
  const at::Tensor one = InspectTensor(info.Env(), info[0], "tensor");
  const at::Tensor other = InspectTensor(info.Env(), info[1], "tensor");
  return Napi::Boolean::New(info.Env(), one.sizes() == other.sizes());
}

Napi::Value Numel(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Inspected(info).numel()));
}

Napi::Value NDim(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Inspected(info).dim()));
}

Napi::Value IsContiguous(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Inspected(info).is_contiguous());
}

Napi::Value IsInference(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Inspected(info).is_inference());
}

// The code of the layout, in the order of `layouts` in lib/types.ts.
Napi::Value Layout(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Inspected(info).layout()));
}

Napi::Value RequiresGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Inspected(info).requires_grad());
}

Napi::Value IsLeaf(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Inspected(info).is_leaf());
}

// setRequiresGrad(tensor, value)
Napi::Value SetRequiresGrad(const Napi::CallbackInfo& info) {
  if (!info[1].IsBoolean()) {
    throw Refused("requiresGrad", "true or false", Describe(info.Env(), info[1]));
  }
  const bool value = info[1].As<Napi::Boolean>();
  if (const auto& tracer = Environment::Of(info.Env()).tracer) {
    const auto call = [value](torch::jit::Stack& stack) {
      stack.front().toTensor().set_requires_grad(value);
      stack.clear();
    };
    tracer->Trace("setRequiresGrad", call, {info[0]}, 0);
    return info.Env().Undefined();
  }
  const at::Tensor& tensor = Self(info);
  if (!value && !tensor.is_leaf()) {
    throw BridgeError("RUNTIME",
                      "you can only change requires_grad flags of leaf variables; use detach() for "
                      "a tensor that is in no graph");
  }
  tensor.set_requires_grad(value);
  return info.Env().Undefined();
}

// retainGrad(tensor): keep the gradient of a tensor that is not a leaf
Napi::Value RetainGrad(const Napi::CallbackInfo& info) {
  Self(info).retain_grad();
  return info.Env().Undefined();
}

Napi::Value RetainsGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Self(info).retains_grad());
}

// gradFn(tensor): the name of the graph node that made it ("NllLossBackward0"), or undefined
Napi::Value GradFn(const Napi::CallbackInfo& info) {
  const auto& node = Self(info).grad_fn();
  if (!node) return info.Env().Undefined();
  const std::string name = node->name();
  // Functions of this addon are called as Python's: torch::autograd::CppNode<bridge::…::Name>.
  if (name.rfind("torch::autograd::CppNode<", 0) != 0) return Napi::String::New(info.Env(), name);
  const size_t start = name.rfind(':') + 1;
  return Napi::String::New(info.Env(), name.substr(start, name.rfind('>') - start) + "Backward");
}

// gradient(tensor, known | undefined): what backward() accumulated, or undefined; `known` itself if
// it is a handle of that tensor
Napi::Value Gradient(const Napi::CallbackInfo& info) {
  const at::Tensor& tensor = Self(info);
  // Asked of a tensor that can have none, grad() would warn.
  if (!tensor.is_leaf() && !tensor.retains_grad()) return info.Env().Undefined();
  const at::Tensor& gradient = tensor.grad();
  if (!gradient.defined()) return info.Env().Undefined();
  const bool is_known = !info[1].IsUndefined() && !IsDisposed(info.Env(), info[1]) &&
                        UnwrapTensor(info.Env(), info[1], "known").is_same(gradient);
  return is_known ? info[1] : Napi::Value(info.Env(), WrapTensor(info.Env(), gradient));
}

// gradients(tensors): [flags, ...the gradient of each, or undefined]; flags: 1 if one of the
// gradients is sparse, 2 if one of the tensors that have one is complex.
Napi::Value Gradients(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto tensors = UnwrapTensors(env, info[0], "tensors");
  Napi::Array results = Napi::Array::New(env, tensors.size() + 1);
  int flags = 0;
  for (size_t i = 0; i < tensors.size(); i++) {
    // Not Tensor::grad(), which would warn of tensors that are not leaves: they may have been given
    // one.
    const at::Tensor& gradient = tensors[i].unsafeGetTensorImpl()->grad();
    if (!gradient.defined()) continue;
    if (gradient.is_sparse()) flags |= 1;
    if (tensors[i].is_complex()) flags |= 2;
    if (at::isReducedFloatingType(tensors[i].scalar_type())) flags |= 4;
    const Napi::HandleScope scope(env);
    results.Set(static_cast<uint32_t>(i + 1), Napi::Value(env, WrapTensor(env, gradient)));
  }
  results.Set(0U, Napi::Number::New(env, flags));
  return results;
}

void CheckGradient(const at::Tensor& tensor, const at::Tensor& gradient) {
  if (gradient.is_same(tensor)) {
    throw Refused("grad", "another tensor", "the tensor itself");
  }
  if (!gradient.sizes().equals(tensor.sizes()) || gradient.scalar_type() != tensor.scalar_type() ||
      gradient.device() != tensor.device()) {
    throw BridgeError("INVALID_ARGUMENT",
                      "expected 'grad' to have the tensor's own shape, dtype and device", "grad");
  }
}

// setGradient(tensor, gradient | undefined)
Napi::Value SetGradient(const Napi::CallbackInfo& info) {
  const at::Tensor& tensor = Self(info);
  if (info[1].IsUndefined() || info[1].IsNull()) {
    tensor.mutable_grad().reset();
    return info.Env().Undefined();
  }
  const at::Tensor& gradient = UnwrapTensor(info.Env(), info[1], "grad");
  CheckGradient(tensor, gradient);
  // Backward passes add to it, whatever the mode is now.
  NoteInGraph(info.Env(), gradient);
  tensor.mutable_grad() = gradient;
  return info.Env().Undefined();
}

Napi::Value Dispose(const Napi::CallbackInfo& info) {
  DisposeTensor(info.Env(), info[0]);
  return info.Env().Undefined();
}

Napi::Value Disposed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsDisposed(info.Env(), info[0]));
}

}  // namespace

void RegisterProperties(Napi::Object exports) {
  Export<Shape>(exports, "shape");
  Export<Strides>(exports, "strides");
  Export<StorageOffset>(exports, "storageOffset");
  Export<StorageBytes>(exports, "storageBytes");
  Export<DTypeCode>(exports, "dtype");
  Export<DeviceName>(exports, "device");
  Export<Numel>(exports, "numel");
  Export<NDim>(exports, "ndim");
  Export<ShareDevice>(exports, "shareDevice");
  Export<ShareShape>(exports, "shareShape");
  Export<IsContiguous>(exports, "isContiguous");
  Export<IsInference>(exports, "isInference");
  Export<Layout>(exports, "layout");
  Export<RequiresGrad>(exports, "requiresGrad");
  Export<SetRequiresGrad>(exports, "setRequiresGrad");
  Export<IsLeaf>(exports, "isLeaf");
  Export<RetainGrad>(exports, "retainGrad");
  Export<RetainsGrad>(exports, "retainsGrad");
  Export<GradFn>(exports, "gradFn");
  Export<Gradient>(exports, "gradient");
  Export<Gradients>(exports, "gradients");
  Export<SetGradient>(exports, "setGradient");
  Export<Dispose>(exports, "dispose");
  Export<Disposed>(exports, "isDisposed");
}

}  // namespace bridge
