#include "dispatch/schemas.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/frontend/function_schema_parser.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <sstream>
#include <string>

#include "dispatch/dispatch.h"
#include "guard.h"
#include "values/ivalue.h"

namespace bridge {

namespace {

Napi::Object Describe(napi_env env, const c10::Argument& argument, bool takes_numbers) {
  Napi::Object result = Napi::Object::New(env);
  c10::TypePtr type = argument.real_type();
  const bool optional = type->kind() == c10::TypeKind::OptionalType;
  if (optional) type = type->castRaw<c10::OptionalType>()->getElementType();
  result.Set("name", argument.name());
  result.Set("type", type->str());
  result.Set("optional", optional);
  result.Set("kwargOnly", argument.kwarg_only());
  result.Set("hasDefault", argument.default_value().has_value());
  if (argument.default_value()) {
    result.Set("default", Napi::Value(env, FromIValue(env, *argument.default_value())));
  }
  if (argument.N()) result.Set("fixedLength", *argument.N());
  result.Set("writes", IsWritten(argument));
  result.Set("isOut", argument.is_out());
  result.Set("takesNumbers",
             takes_numbers && type->kind() == c10::TypeKind::TensorType && !IsWritten(argument));
  return result;
}

// The argument that a result is, for results that in-place and out= forms give back.
int ReturnedArgument(const c10::FunctionSchema& schema, const c10::Argument& result) {
  if (!IsWritten(result)) return -1;
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->beforeSets() == result.alias_info()->beforeSets()) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

Napi::Object Describe(napi_env env, const c10::FunctionSchema& schema) {
  Napi::Object result = Napi::Object::New(env);
  std::ostringstream text;
  text << schema;
  result.Set("schema", text.str());
  result.Set("overload", schema.overload_name());
  const bool takes_numbers = TakesNumbers(schema.name());
  Napi::Array arguments = Napi::Array::New(env);
  for (uint32_t i = 0; i < schema.arguments().size(); i++) {
    arguments.Set(i, Describe(env, schema.arguments()[i], takes_numbers));
  }
  result.Set("arguments", arguments);
  Napi::Array returns = Napi::Array::New(env);
  for (uint32_t i = 0; i < schema.returns().size(); i++) {
    const c10::Argument& given = schema.returns()[i];
    Napi::Object entry = Napi::Object::New(env);
    if (!given.name().empty()) entry.Set("name", given.name());
    entry.Set("type", given.real_type()->str());
    const int argument = ReturnedArgument(schema, given);
    if (argument >= 0) entry.Set("argument", argument);
    returns.Set(i, entry);
  }
  result.Set("returns", returns);
  return result;
}

// operatorSchemas("aten::add"): its overloads, in the order in which Python's torch.ops tries them.
// Those that only TorchScript has, for numbers and lists without a tensor, are left out.
Napi::Value OperatorSchemas(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string name = ReadString(env, info[0], "name");
  if (name.find("::") == std::string::npos) throw Refused("name", "'namespace::name'", name);
  Napi::Array result = Napi::Array::New(env);
  for (const auto& op : torch::jit::getAllSortedOperatorsFor(c10::Symbol::fromQualString(name))) {
    if (!op->isC10Op()) continue;
    const Napi::HandleScope scope(env);
    result.Set(result.Length(), Describe(env, op->schema()));
  }
  return result;
}

// parseSchema("norm(Tensor self, int dim=0) -> Any"): a schema of a function that is not an
// operator.
Napi::Value ParseSchema(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  return Describe(env, torch::jit::parseSchema(ReadString(env, info[0], "schema")));
}

}  // namespace

void RegisterSchemas(Napi::Object exports) {
  Export<OperatorSchemas>(exports, "operatorSchemas");
  Export<ParseSchema>(exports, "parseSchema");
}

}  // namespace bridge
