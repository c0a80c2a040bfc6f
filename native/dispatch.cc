#include "dispatch.h"

#include <ATen/core/DimVector.h>

#include <algorithm>
#include <array>
#include <list>
#include <memory>
#include <sstream>
#include <utility>

#include "background.h"
#include "guard.h"
#include "recording.h"
#include "storage.h"

namespace bridge {

namespace {

// More than any ATen operator takes.
constexpr size_t kMaxArguments = 32;

c10::OperatorHandle FindOperator(const std::string& name, const std::string& overload) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!found) {
    throw BridgeError("NOT_IMPLEMENTED", "this libtorch has no operator " + name +
                                             (overload.empty() ? "" : "." + overload));
  }
  return *found;
}

bool ReturnsArgument(const c10::FunctionSchema& schema) {
  if (schema.returns().size() != 1) return false;
  const c10::AliasInfo* alias = schema.returns()[0].alias_info();
  return alias != nullptr && alias->isWrite();
}

std::vector<size_t> WrittenArguments(const c10::FunctionSchema& schema) {
  std::vector<size_t> written;
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite()) written.push_back(i);
  }
  return written;
}

std::vector<size_t> OutArguments(const c10::FunctionSchema& schema) {
  std::vector<size_t> outs = WrittenArguments(schema);
  const auto is_self = [&](size_t i) { return !schema.arguments()[i].kwarg_only(); };
  outs.erase(std::remove_if(outs.begin(), outs.end(), is_self), outs.end());
  return outs;
}

// A tensor that has the shape which it had once this goes out of scope.
class KeptShape {
 public:
  explicit KeptShape(const at::Tensor& tensor)
      : tensor_(tensor), sizes_(tensor.sizes()), strides_(tensor.strides()) {}
  KeptShape(const KeptShape&) = delete;
  KeptShape& operator=(const KeptShape&) = delete;
  ~KeptShape() {
    if (!IsKept()) tensor_.unsafeGetTensorImpl()->set_sizes_and_strides(sizes_, strides_);
  }

  bool IsKept() const { return tensor_.sizes() == sizes_; }
  at::IntArrayRef now() const { return tensor_.sizes(); }
  at::IntArrayRef before() const { return sizes_; }

 private:
  at::Tensor tensor_;
  at::DimVector sizes_;
  at::DimVector strides_;
};

std::string Text(at::IntArrayRef sizes) {
  std::ostringstream text;
  text << sizes;
  return text.str();
}

napi_value Results(napi_env env, const torch::jit::Stack& stack) {
  if (stack.empty()) return Napi::Env(env).Undefined();
  if (stack.size() == 1) return FromIValue(env, stack.front());
  Napi::Array results = Napi::Array::New(env, stack.size());
  for (size_t i = 0; i < stack.size(); i++) {
    results.Set(static_cast<uint32_t>(i), Napi::Value(env, FromIValue(env, stack[i])));
  }
  return results;
}

// Those of this library's operators that bring tensors of several devices together.
bool MayMixDevices(const std::string& name) {
  return name == "aten::copy_" || name == "aten::ctc_loss";
}

// Refuses tensors of several devices before anything is computed: an operator that is made of
// others would begin. A number that is a tensor on the CPU goes with every device.
void CheckDevices(const c10::OperatorHandle& handle, const torch::jit::Stack& stack) {
  constexpr size_t kNone = kMaxArguments;
  size_t first = kNone;
  for (size_t i = 0; i < stack.size(); i++) {
    if (!stack[i].isTensor()) continue;
    const at::Tensor& tensor = stack[i].toTensor();
    if (!tensor.defined() || (tensor.is_cpu() && tensor.dim() == 0)) continue;
    if (first == kNone) first = i;
    const c10::Device expected = stack[first].toTensor().device();
    if (tensor.device() == expected || MayMixDevices(handle.schema().name())) continue;
    const auto& arguments = handle.schema().arguments();
    throw Refused(arguments[i].name(),
                  "on " + expected.str() + " as '" + arguments[first].name() + "' is",
                  "a tensor on " + tensor.device().str());
  }
}

bool ReadsArrays(const std::vector<ArgumentPlan>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const ArgumentPlan& argument) {
    switch (argument.kind) {
      case Kind::kTensorList:
      case Kind::kOptionalTensorList:
      case Kind::kIntList:
      case Kind::kFloatList:
      case Kind::kBoolList:
        return true;
      default:
        return false;
    }
  });
}

// The elements of an array may be getters, which may have detached what was checked before them.
void CheckStorages(napi_env env, const torch::jit::Stack& stack) {
  for (const c10::IValue& value : stack) {
    if (value.isTensor()) CheckStorage(env, value.toTensor());
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) CheckStorage(env, tensor);
  }
}

napi_value Call(const Operator& op, napi_env env, size_t argc, const napi_value* argv) {
  if (argc > op.arguments.size()) {
    throw BridgeError("INVALID_ARGUMENT", "expected at most " +
                                              std::to_string(op.arguments.size()) +
                                              " arguments, but received " + std::to_string(argc));
  }
  if (op.environment->recording) return op.environment->recording->Record(op, argv);
  torch::jit::Stack stack;
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); i++) {
    stack.push_back(ToIValue(env, argv[i], op.arguments[i]));
  }
  if (op.reads_arrays) CheckStorages(env, stack);
  for (const size_t i : op.written) {
    if (stack[i].isTensor()) CheckUnused(*op.environment, stack[i].toTensor());
  }
  CallOperator(op.handle, op.outs, stack);
  return op.returns_argument ? nullptr : Results(env, stack);
}

napi_value Entry(napi_env env, napi_callback_info info) {
  // Node fills the places beyond what was given with undefined.
  std::array<napi_value, kMaxArguments> argv{};
  size_t argc = argv.size();
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, argv.data(), nullptr, &data);
  const Operator& op = *static_cast<const Operator*>(data);
  return Guard(*op.environment, op.name, [&] { return Call(op, env, argc, argv.data()); });
}

std::string ReadName(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsString()) {
    throw Refused(index == 0 ? "name" : "overload", "a string", Describe(info.Env(), info[index]));
  }
  return info[index].As<Napi::String>().Utf8Value();
}

// "aten::log_softmax" -> "logSoftmax", as the library's users call it
std::string ShortName(const std::string& name) {
  const size_t colon = name.find("::");
  return CamelCase(colon == std::string::npos ? name : name.substr(colon + 2));
}

// operator(name, overload): the operator as a function of its schema's arguments in their order
Napi::Value MakeOperator(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string name = ReadName(info, 0);
  const std::string overload = ReadName(info, 1);
  const c10::OperatorHandle handle = FindOperator(name, overload);
  const c10::FunctionSchema& schema = handle.schema();

  std::vector<ArgumentPlan> arguments;
  for (const c10::Argument& argument : schema.arguments()) {
    arguments.push_back(PlanArgument(argument));
  }
  if (arguments.size() > kMaxArguments) {
    throw BridgeError("NOT_IMPLEMENTED", name + " takes more arguments than this bridge passes");
  }
  Environment& environment = Environment::Of(env);
  const bool reads_arrays = ReadsArrays(arguments);
  Operator& op = environment.Own(std::make_unique<Operator>(
      Operator{&environment, handle, ShortName(name), std::move(arguments), ReturnsArgument(schema),
               WrittenArguments(schema), OutArguments(schema), reads_arrays}));
  napi_value function = nullptr;
  if (napi_create_function(env, op.name.c_str(), op.name.size(), Entry, &op, &function) !=
      napi_ok) {
    throw Napi::Error::New(env);
  }
  return {env, function};
}

// schema(name, overload): the operator's schema as libtorch writes it
Napi::Value Schema(const Napi::CallbackInfo& info) {
  std::ostringstream text;
  text << FindOperator(ReadName(info, 0), ReadName(info, 1)).schema();
  return Napi::String::New(info.Env(), text.str());
}

// operatorNames(): every operator in the dispatcher, "aten::add.Tensor"
Napi::Value OperatorNames(const Napi::CallbackInfo& info) {
  const auto names = c10::Dispatcher::singleton().getAllOpNames();
  Napi::Array result = Napi::Array::New(info.Env(), names.size());
  for (size_t i = 0; i < names.size(); i++) {
    const Napi::HandleScope scope(info.Env());
    result.Set(static_cast<uint32_t>(i), c10::toString(names[i]));
  }
  return result;
}

}  // namespace

void CallOperator(const c10::OperatorHandle& handle, const std::vector<size_t>& outs,
                  torch::jit::Stack& stack) {
  CheckDevices(handle, stack);
  if (outs.empty()) return handle.callBoxed(stack);
  std::list<KeptShape> kept;
  for (const size_t out : outs) {
    if (stack[out].isTensor() && stack[out].toTensor().defined()) {
      kept.emplace_back(stack[out].toTensor());
    }
  }
  handle.callBoxed(stack);
  for (const KeptShape& out : kept) {
    if (!out.IsKept()) throw Refused("out", "of shape " + Text(out.now()), Text(out.before()));
  }
}

void RegisterDispatch(Napi::Object exports) {
  Export<MakeOperator>(exports, "operator");
  Export<Schema>(exports, "schema");
  Export<OperatorNames>(exports, "operatorNames");
}

}  // namespace bridge
