// JavaScript values <-> IValues, by the types of an operator's schema.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <vector>

#include "napi_setup.h"

namespace bridge {

// What an argument converts to. Symbolic integers take plain ones.
enum class Kind {
  kTensor,
  kTensorList,
  kOptionalTensorList,
  kInt,
  kFloat,
  kBool,
  kScalar,
  kScalarList,
  kString,
  kIntList,
  kFloatList,
  kBoolList,
  kScalarType,
  kLayout,
  kMemoryFormat,
  kDevice,
  kGenerator,
  // Whatever else schemas have, converted by the type itself: storages, streams, classes that
  // libraries register, dictionaries, lists of lists.
  kOther,
};

// One argument of an operator, ready for conversion.
struct ArgumentPlan {
  std::string name;
  Kind kind;
  bool optional;
  // `int[2]` takes a single number for both.
  std::optional<int32_t> fixed_length;
  std::optional<c10::IValue> fallback;
  // Without the optional around it.
  c10::TypePtr type;
  // Whether a number is taken for a tensor of it, as Python's arithmetic operators do.
  bool takes_numbers;
};

// A name of ATen as JavaScript writes it: "log_softmax" is "logSoftmax", "add_" stays.
std::string CamelCase(const std::string& name);

ArgumentPlan PlanArgument(const c10::Argument& argument, bool takes_numbers);

// Whether reading a value for it may run user code, because an array or object is read.
bool MayRunUserCode(const ArgumentPlan& plan);

// `undefined` is the schema's default, `null` is None where the schema allows it.
c10::IValue ToIValue(napi_env env, napi_value value, const ArgumentPlan& plan);

napi_value FromIValue(napi_env env, const c10::IValue& value);

// Number, bigint (integers beyond 2^53), boolean or { re, im }.
napi_value ScalarToJs(napi_env env, const at::Scalar& scalar);

// The value as an array, of a length that can be read.
Napi::Array ExpectArray(napi_env env, napi_value value, const std::string& argument,
                        const std::string& what = "an array");

double ReadFloat(napi_env env, napi_value value, const std::string& argument);
bool ReadBool(napi_env env, napi_value value, const std::string& argument);
std::string ReadString(napi_env env, napi_value value, const std::string& argument);
at::Scalar ReadScalar(napi_env env, napi_value value, const std::string& argument);

// The entries of an array. Reading it may run user code.
std::vector<napi_value> ReadArray(napi_env env, napi_value value, const std::string& argument);
int64_t ReadInt(napi_env env, napi_value value, const std::string& argument);
std::vector<int64_t> ReadInts(napi_env env, napi_value value, const std::string& argument);
// A bigint in [0, 2^64).
uint64_t ReadSeed(napi_env env, napi_value value);
c10::Device ReadDevice(napi_env env, napi_value value, const std::string& argument);
// The integer code of a dtype that this bridge knows.
at::ScalarType ReadScalarType(napi_env env, napi_value value, const std::string& argument);

}  // namespace bridge
