#include "dispatch/unboxed.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "dispatch/dispatch.h"
#include "values/ivalue.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// An argument by its type in schemas, and what holds its value during the call. Tensors are held by
// reference count: reading a later argument may run user code, which disposes of them.
template <typename T>
struct Held {
  using Type = T;
  static T Read(napi_env env, napi_value value, const ArgumentPlan& plan) {
    return ToIValue(env, value, plan).to<T>();
  }
};

template <typename Argument>
struct Parameter;

template <>
struct Parameter<const at::Tensor&> : Held<at::Tensor> {
  static constexpr std::string_view kType = "Tensor";
};

template <>
struct Parameter<const std::optional<at::Tensor>&> : Held<std::optional<at::Tensor>> {
  static constexpr std::string_view kType = "Tensor?";
};

template <>
struct Parameter<const at::Scalar&> : Held<at::Scalar> {
  static constexpr std::string_view kType = "Scalar";
};

template <>
struct Parameter<int64_t> : Held<int64_t> {
  static constexpr std::string_view kType = "int";
};

template <>
struct Parameter<c10::SymInt> : Held<c10::SymInt> {
  static constexpr std::string_view kType = "SymInt";
};

template <>
struct Parameter<double> : Held<double> {
  static constexpr std::string_view kType = "float";
};

template <>
struct Parameter<bool> : Held<bool> {
  static constexpr std::string_view kType = "bool";
};

template <>
struct Parameter<std::optional<at::ScalarType>> : Held<std::optional<at::ScalarType>> {
  static constexpr std::string_view kType = "ScalarType?";
};

template <>
struct Parameter<at::OptionalIntArrayRef> : Held<c10::OptionalArray<int64_t>> {
  static constexpr std::string_view kType = "int[]?";
};

template <>
struct Parameter<c10::SymIntArrayRef> {
  static constexpr std::string_view kType = "SymInt[]";
  using Type = std::vector<c10::SymInt>;
  static Type Read(napi_env env, napi_value value, const ArgumentPlan& plan) {
    const std::vector<int64_t> integers = ReadInts(env, value, plan.name);
    return {integers.begin(), integers.end()};
  }
};

// Whether reading it may have run user code.
bool IsComplex(const at::Scalar& scalar) { return scalar.isComplex(); }
template <typename T>
bool IsComplex(const T& /*value*/) {
  return false;
}

void CheckAgain(napi_env env, const at::Tensor& tensor) { CheckStorage(env, tensor); }
void CheckAgain(napi_env env, const std::optional<at::Tensor>& tensor) {
  if (tensor) CheckStorage(env, *tensor);
}
template <typename T>
void CheckAgain(napi_env /*env*/, const T& /*value*/) {}

bool HasType(const ArgumentPlan& plan, std::string_view type) {
  const std::string name = plan.type->str() + (plan.optional ? "?" : "");
  // A list of fixed length takes a single number, too, which only ToIValue knows.
  return name == type && (type != "SymInt[]" || (!plan.fixed_length && !plan.fallback));
}

template <typename Signature>
struct Unboxed;

template <typename... Arguments>
struct Unboxed<at::Tensor(Arguments...)> {
  static UnboxedCall Find(const Operator& op) {
    if (op.arguments.size() != sizeof...(Arguments)) return {};
    size_t i = 0;
    if (!(HasType(op.arguments[i++], Parameter<Arguments>::kType) && ...)) return {};
    return Bind(op, std::index_sequence_for<Arguments...>());
  }

 private:
  template <size_t... I>
  static UnboxedCall Bind(const Operator& op, std::index_sequence<I...> /*places*/) {
    // Compares the signature with that of the operator's kernels.
    const auto handle = op.handle.typed<at::Tensor(Arguments...)>();
    return [&op, handle](napi_env env, const napi_value* argv) -> napi_value {
      // Braces read the arguments in their order.
      std::tuple<typename Parameter<Arguments>::Type...> values{
          Parameter<Arguments>::Read(env, argv[I], op.arguments[I])...};
      if (op.reads_arrays || (IsComplex(std::get<I>(values)) || ...)) {
        (CheckAgain(env, std::get<I>(values)), ...);
      }
      at::Tensor result = handle.call(std::get<I>(values)...);
      if (op.outputs.gives_views) CheckResult(result);
      return result.defined() ? WrapTensor(env, std::move(result))
                              : static_cast<napi_value>(Napi::Env(env).Undefined());
    };
  }
};

template <typename... Signatures>
UnboxedCall FindAmong(const Operator& op) {
  UnboxedCall found;
  (void)((found = Unboxed<Signatures>::Find(op)) || ...);
  return found;
}

}  // namespace

UnboxedCall FindUnboxedCall(const Operator& op) {
  const auto& returns = op.handle.schema().returns();
  if (!op.outputs.written.empty() || op.outputs.changes_shape || returns.size() != 1 ||
      returns[0].type()->kind() != c10::TypeKind::TensorType ||
      op.handle.schema().name().rfind("aten::", 0) != 0) {
    return {};
  }
  using at::Scalar;
  using at::Tensor;
  using std::optional;
  return FindAmong<Tensor(const Tensor&), Tensor(const Tensor&, const Tensor&),
                   Tensor(const Tensor&, const Tensor&, const Scalar&),
                   Tensor(const Tensor&, const Scalar&), Tensor(const Tensor&, c10::SymIntArrayRef),
                   Tensor(const Tensor&, int64_t), Tensor(const Tensor&, int64_t, int64_t),
                   Tensor(const Tensor&, int64_t, optional<at::ScalarType>),
                   Tensor(const Tensor&, at::OptionalIntArrayRef, bool, optional<at::ScalarType>),
                   Tensor(const Tensor&, const Tensor&, const optional<Tensor>&),
                   Tensor(const Tensor&, const Tensor&, int64_t),
                   Tensor(const Tensor&, const Tensor&, const optional<Tensor>&, int64_t,
                          c10::SymInt, double)>(op);
}

}  // namespace bridge
