#include "dispatch/dispatch.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <sstream>
#include <utility>

#include "guard.h"
#include "trace/background.h"
#include "trace/tracer.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// More than any ATen operator takes, and as many as most take.
constexpr size_t kMaxArguments = 32;
constexpr size_t kUsualArguments = 8;

c10::OperatorHandle FindOperator(const std::string& name, const std::string& overload) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!found) {
    throw BridgeError("NOT_IMPLEMENTED", "this libtorch has no operator " + name +
                                             (overload.empty() ? "" : "." + overload));
  }
  return *found;
}

napi_value Results(napi_env env, torch::jit::Stack& stack) {
  if (stack.empty()) return Napi::Env(env).Undefined();
  if (stack.size() == 1 && stack.front().isTensor() && stack.front().toTensor().defined()) {
    return WrapTensor(env, std::move(stack.front()).toTensor());
  }
  if (stack.size() == 1) return FromIValue(env, stack.front());
  Napi::Array results = Napi::Array::New(env, stack.size());
  for (size_t i = 0; i < stack.size(); i++) {
    results.Set(static_cast<uint32_t>(i), Napi::Value(env, FromIValue(env, stack[i])));
  }
  return results;
}

// The elements of an array may be getters, which may have detached what was checked before them.
void CheckStorages(napi_env env, const torch::jit::Stack& stack) {
  for (const c10::IValue& value : stack) {
    if (value.isTensor()) CheckStorage(env, value.toTensor());
    if (!value.isList()) continue;
    for (const c10::IValue& element : value.toListRef()) {
      if (element.isTensor()) CheckStorage(env, element.toTensor());
    }
  }
}

// Complex numbers are objects, whose properties may be getters.
bool HasComplex(const torch::jit::Stack& stack) {
  return std::any_of(stack.begin(), stack.end(),
                     [](const c10::IValue& value) { return value.isComplexDouble(); });
}

napi_value Call(const Operator& op, napi_env env, size_t argc, const napi_value* argv) {
  if (argc > op.arguments.size()) {
    throw BridgeError("INVALID_ARGUMENT", "expected at most " +
                                              std::to_string(op.arguments.size()) +
                                              " arguments, but received " + std::to_string(argc));
  }
  if (op.environment->tracer) return op.environment->tracer->Trace(op, argv);
  if (op.unboxed) return op.unboxed(env, argv);
  torch::jit::Stack stack;
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); i++) {
    const ArgumentPlan& plan = op.arguments[i];
    if (i >= argc && plan.fallback) {
      stack.push_back(*plan.fallback);
    } else {
      stack.push_back(ToIValue(env, argv[i], plan));
    }
  }
  if (op.reads_arrays || HasComplex(stack)) CheckStorages(env, stack);
  for (const size_t i : op.outputs.written) {
    if (stack[i].isTensor()) CheckUnused(*op.environment, stack[i].toTensor());
    if (!stack[i].isTensorList()) continue;
    for (const at::Tensor& tensor : stack[i].toTensorVector()) {
      CheckUnused(*op.environment, tensor);
    }
  }
  // A tensor that a graph has saved may get the memory of another one.
  if (op.outputs.changes_shape) {
    for (const c10::IValue& value : stack) {
      if (value.isTensor()) NoteInGraph(env, value.toTensor());
    }
  }
  CallOperator(op.handle, op.outputs, stack);
  // In-place and out= forms give back an argument: the caller has it already.
  return op.outputs.returns_argument ? nullptr : Results(env, stack);
}

napi_value Entry(napi_env env, napi_callback_info info) {
  // Node fills the places beyond what was given with undefined.
  std::array<napi_value, kMaxArguments> argv;
  size_t argc = kUsualArguments;
  void* data = nullptr;
  napi_get_cb_info(env, info, &argc, argv.data(), nullptr, &data);
  const Operator& op = *static_cast<const Operator*>(data);
  if (std::max(argc, op.arguments.size()) > kUsualArguments) {
    argc = argv.size();
    napi_get_cb_info(env, info, &argc, argv.data(), nullptr, &data);
  }
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

  const bool takes_numbers = TakesNumbers(name);
  std::vector<ArgumentPlan> arguments;
  for (const c10::Argument& argument : schema.arguments()) {
    arguments.push_back(PlanArgument(argument, takes_numbers));
  }
  if (arguments.size() > kMaxArguments) {
    throw BridgeError("NOT_IMPLEMENTED", name + " takes more arguments than this bridge passes");
  }
  Environment& environment = Environment::Of(env);
  const bool reads_arrays = std::any_of(arguments.begin(), arguments.end(), MayRunUserCode);
  Operator& op = environment.Own(std::make_unique<Operator>(Operator{
      &environment, handle, ShortName(name), std::move(arguments), Outputs(handle), reads_arrays}));
  op.unboxed = FindUnboxedCall(op);
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

// The operators that take numbers for any tensor, as PyTorch's Python layer has them.
bool TakesNumbers(const std::string& name) {
  static const std::set<std::string> kNames = {"add",          "div", "divide",   "mul",
                                               "multiply",     "sub", "subtract", "true_divide",
                                               "floor_divide", "to",  "_to_copy", "copy"};
  if (name.rfind("prims::", 0) == 0) return true;
  if (name.rfind("aten::", 0) != 0) return false;
  std::string plain = name.substr(6);
  if (plain.size() > 1 && plain.back() == '_') plain.pop_back();
  return kNames.count(plain) > 0;
}

void RegisterDispatch(Napi::Object exports) {
  Export<MakeOperator>(exports, "operator");
  Export<Schema>(exports, "schema");
  Export<OperatorNames>(exports, "operatorNames");
}

}  // namespace bridge
