#include "values/ivalue.h"

#include <ATen/ScalarOps.h>
#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>

#include <cctype>
#include <cmath>
#include <limits>

#include "guard.h"
#include "values/objects.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// An array may say that it has 2^32 - 1 elements, and hold none: reading them would take minutes
// and all memory.
constexpr uint32_t kMostEntries = uint32_t{1} << 24;

Kind PlanList(const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      return Kind::kTensorList;
    case c10::TypeKind::OptionalType:
      return element->castRaw<c10::OptionalType>()->getElementType()->kind() ==
                     c10::TypeKind::TensorType
                 ? Kind::kOptionalTensorList
                 : Kind::kOther;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::kIntList;
    case c10::TypeKind::FloatType:
      return Kind::kFloatList;
    case c10::TypeKind::BoolType:
      return Kind::kBoolList;
    case c10::TypeKind::NumberType:
      return Kind::kScalarList;
    default:
      return Kind::kOther;
  }
}

Kind PlanType(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return Kind::kTensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::kInt;
    case c10::TypeKind::FloatType:
      return Kind::kFloat;
    case c10::TypeKind::BoolType:
      return Kind::kBool;
    case c10::TypeKind::NumberType:
      return Kind::kScalar;
    case c10::TypeKind::StringType:
      return Kind::kString;
    case c10::TypeKind::ScalarTypeType:
      return Kind::kScalarType;
    case c10::TypeKind::LayoutType:
      return Kind::kLayout;
    case c10::TypeKind::MemoryFormatType:
      return Kind::kMemoryFormat;
    case c10::TypeKind::DeviceObjType:
      return Kind::kDevice;
    case c10::TypeKind::GeneratorType:
      return Kind::kGenerator;
    case c10::TypeKind::ListType:
      return PlanList(type->castRaw<c10::ListType>()->getElementType());
    default:
      return Kind::kOther;
  }
}

napi_valuetype TypeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}

std::optional<int64_t> ReadBigInt(napi_env env, napi_value value) {
  int64_t result = 0;
  bool lossless = false;
  if (napi_get_value_bigint_int64(env, value, &result, &lossless) != napi_ok || !lossless) {
    return std::nullopt;
  }
  return result;
}

std::optional<int64_t> TryInt(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return ReadBigInt(env, value);
  if (std::nearbyint(number) != number || std::abs(number) > kMaxSafeInteger) return std::nullopt;
  return static_cast<int64_t>(number);
}

// { re, im }. Reading it may run user code.
std::optional<c10::complex<double>> ReadComplex(napi_env env, napi_value value) {
  const auto part = [&](const char* name) -> std::optional<double> {
    napi_value property = nullptr;
    if (napi_get_named_property(env, value, name, &property) != napi_ok) throw JsThrew();
    double number = 0;
    if (napi_get_value_double(env, property, &number) != napi_ok) return std::nullopt;
    return number;
  };
  const std::optional<double> re = part("re");
  const std::optional<double> im = re ? part("im") : std::nullopt;
  if (!im) return std::nullopt;
  return c10::complex<double>(*re, *im);
}

// An enumeration of libtorch, given by its integer code in [0, count).
int64_t ReadCode(napi_env env, napi_value value, const std::string& argument, int64_t count) {
  const int64_t code = ReadInt(env, value, argument);
  if (code < 0 || code >= count) {
    throw Refused(argument, "a code in [0, " + std::to_string(count) + ")", std::to_string(code));
  }
  return code;
}

template <typename T, typename Read>
c10::List<T> ReadList(napi_env env, napi_value value, const std::string& argument,
                      const Read& read) {
  const Napi::Array array = ExpectArray(env, value, argument);
  c10::List<T> result;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(env);
    result.push_back(read(array.Get(i), argument + "[" + std::to_string(i) + "]"));
  }
  return result;
}

c10::IValue ReadIntList(napi_env env, napi_value value, const ArgumentPlan& plan) {
  const napi_valuetype type = TypeOf(env, value);
  if (plan.fixed_length && (type == napi_number || type == napi_bigint)) {
    return std::vector<int64_t>(*plan.fixed_length, ReadInt(env, value, plan.name));
  }
  return ReadInts(env, value, plan.name);
}

c10::IValue ReadScalars(napi_env env, napi_value value, const std::string& argument) {
  const Napi::Array array = ExpectArray(env, value, argument);
  c10::impl::GenericList result(c10::NumberType::get());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(env);
    result.push_back(ReadScalar(env, array.Get(i), argument + "[" + std::to_string(i) + "]"));
  }
  return result;
}

c10::IValue ReadOptionalTensorList(napi_env env, napi_value value, const std::string& argument) {
  return ReadList<std::optional<at::Tensor>>(
      env, value, argument,
      [&](napi_value element, const std::string& name) -> std::optional<at::Tensor> {
        const napi_valuetype type = TypeOf(env, element);
        if (type == napi_undefined || type == napi_null) return std::nullopt;
        return UnwrapTensor(env, element, name);
      });
}

c10::IValue Absent(napi_env env, napi_value value, const ArgumentPlan& plan) {
  if (TypeOf(env, value) == napi_undefined && plan.fallback) return *plan.fallback;
  if (plan.optional) return {};
  throw Refused(plan.name, "given", Describe(env, value));
}

template <typename List, typename Convert>
napi_value FromList(napi_env env, const List& list, const Convert& convert) {
  Napi::Array array = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) {
    const Napi::HandleScope scope(env);
    array.Set(static_cast<uint32_t>(i), Napi::Value(env, convert(i)));
  }
  return array;
}

// Pairs of keys and values.
napi_value FromDict(napi_env env, const c10::impl::GenericDict& dict) {
  Napi::Array pairs = Napi::Array::New(env, dict.size());
  uint32_t i = 0;
  for (const auto& entry : dict) {
    const Napi::HandleScope scope(env);
    Napi::Array pair = Napi::Array::New(env, 2);
    pair.Set(uint32_t{0}, Napi::Value(env, FromIValue(env, entry.key())));
    pair.Set(uint32_t{1}, Napi::Value(env, FromIValue(env, entry.value())));
    pairs.Set(i++, pair);
  }
  return pairs;
}

}  // namespace

std::string CamelCase(const std::string& name) {
  std::string result;
  for (size_t i = 0; i < name.size(); i++) {
    const bool hump = name[i] == '_' && !result.empty() && i + 1 < name.size() &&
                      std::islower(static_cast<unsigned char>(name[i + 1])) != 0;
    if (hump) {
      result += static_cast<char>(std::toupper(static_cast<unsigned char>(name[++i])));
    } else {
      result += name[i];
    }
  }
  return result;
}

ArgumentPlan PlanArgument(const c10::Argument& argument, bool takes_numbers) {
  c10::TypePtr type = argument.real_type();
  const bool optional = type->kind() == c10::TypeKind::OptionalType;
  if (optional) type = type->castRaw<c10::OptionalType>()->getElementType();
  // What messages call it; the first operand is the library's `input`.
  const std::string name = argument.name() == "self" ? "input" : CamelCase(argument.name());
  const bool written = argument.alias_info() != nullptr && argument.alias_info()->isWrite();
  return {name, PlanType(type),           optional, argument.N(), argument.default_value(),
          type, takes_numbers && !written};
}

bool MayRunUserCode(const ArgumentPlan& plan) {
  // A complex number for a tensor is an object, whose properties may be getters.
  if (plan.takes_numbers) return true;
  switch (plan.kind) {
    case Kind::kTensorList:
    case Kind::kOptionalTensorList:
    case Kind::kIntList:
    case Kind::kFloatList:
    case Kind::kBoolList:
    case Kind::kScalarList:
    case Kind::kOther:
      return true;
    default:
      return false;
  }
}

c10::IValue ToIValue(napi_env env, napi_value value, const ArgumentPlan& plan) {
  if (plan.kind == Kind::kTensor) {
    if (const at::Tensor* tensor = FindTensor(env, value, plan.name)) return *tensor;
  }
  const napi_valuetype type = TypeOf(env, value);
  if (type == napi_undefined || type == napi_null) return Absent(env, value, plan);
  switch (plan.kind) {
    case Kind::kTensor:
      if (plan.takes_numbers && type != napi_external) {
        at::Tensor number = c10::scalar_to_tensor(ReadScalar(env, value, plan.name));
        number.unsafeGetTensorImpl()->set_wrapped_number(true);
        return number;
      }
      return UnwrapTensor(env, value, plan.name);
    case Kind::kTensorList:
      return UnwrapTensors(env, value, plan.name);
    case Kind::kOptionalTensorList:
      return ReadOptionalTensorList(env, value, plan.name);
    case Kind::kInt:
      return ReadInt(env, value, plan.name);
    case Kind::kFloat:
      return ReadFloat(env, value, plan.name);
    case Kind::kBool:
      return ReadBool(env, value, plan.name);
    case Kind::kScalar:
      return ReadScalar(env, value, plan.name);
    case Kind::kScalarList:
      return ReadScalars(env, value, plan.name);
    case Kind::kString:
      return ReadString(env, value, plan.name);
    case Kind::kIntList:
      return ReadIntList(env, value, plan);
    case Kind::kFloatList:
      return ReadList<double>(env, value, plan.name, [&](napi_value element, const auto& name) {
        return ReadFloat(env, element, name);
      });
    case Kind::kBoolList:
      return ReadList<bool>(env, value, plan.name, [&](napi_value element, const auto& name) {
        return ReadBool(env, element, name);
      });
    case Kind::kScalarType:
      return static_cast<int64_t>(ReadScalarType(env, value, plan.name));
    case Kind::kLayout:
      // Strided only: libtorch's own kernels write beyond the memory of others (zeros of uint8,
      // mkldnn).
      return ReadCode(env, value, plan.name, 1);
    case Kind::kMemoryFormat:
      return ReadCode(env, value, plan.name, static_cast<int64_t>(at::MemoryFormat::NumOptions));
    case Kind::kDevice:
      return ReadDevice(env, value, plan.name);
    case Kind::kGenerator:
      return UnwrapGenerator(env, value, plan.name);
    case Kind::kOther:
      return ToIValueOfType(env, value, plan.type, plan.name);
  }
  throw Refused(plan.name, "of a known kind", Describe(env, value));
}

napi_value FromIValue(napi_env env, const c10::IValue& value) {
  const Napi::Env napi(env);
  if (value.isTensor()) {
    return value.toTensor().defined() ? WrapTensor(env, value.toTensor())
                                      : static_cast<napi_value>(napi.Undefined());
  }
  if (value.isNone()) return napi.Undefined();
  if (value.isScalar()) return ScalarToJs(env, value.toScalar());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isDevice()) return Napi::String::New(env, value.toDevice().str());
  if (value.isList()) {
    const auto list = value.toListRef();
    return FromList(env, list, [&](size_t i) { return FromIValue(env, list[i]); });
  }
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    return FromList(env, elements, [&](size_t i) { return FromIValue(env, elements[i]); });
  }
  if (value.isGenericDict()) return FromDict(env, value.toGenericDict());
  return WrapObject(env, value);
}

napi_value ScalarToJs(napi_env env, const at::Scalar& scalar) {
  if (scalar.isFloatingPoint()) return Napi::Number::New(env, scalar.toDouble());
  if (scalar.isBoolean()) return Napi::Boolean::New(env, scalar.toBool());
  if (scalar.isComplex()) {
    const c10::complex<double> number = scalar.toComplexDouble();
    Napi::Object complex = Napi::Object::New(env);
    complex.Set("re", Napi::Number::New(env, number.real()));
    complex.Set("im", Napi::Number::New(env, number.imag()));
    return complex;
  }
  const int64_t integer = scalar.toLong();
  if (std::abs(static_cast<double>(integer)) > kMaxSafeInteger) {
    return Napi::BigInt::New(env, integer);
  }
  return Napi::Number::New(env, static_cast<double>(integer));
}

double ReadFloat(napi_env env, napi_value value, const std::string& argument) {
  double result = 0;
  if (napi_get_value_double(env, value, &result) != napi_ok) {
    throw Refused(argument, "a number", Describe(env, value));
  }
  return result;
}

bool ReadBool(napi_env env, napi_value value, const std::string& argument) {
  bool result = false;
  if (napi_get_value_bool(env, value, &result) != napi_ok) {
    throw Refused(argument, "true or false", Describe(env, value));
  }
  return result;
}

std::string ReadString(napi_env env, napi_value value, const std::string& argument) {
  if (TypeOf(env, value) != napi_string) throw Refused(argument, "a string", Describe(env, value));
  return Napi::String(env, value).Utf8Value();
}

// Whole numbers become integers, as Python's `2` does, so that integer tensors stay integer. A
// negative zero is a float: an integer has none.
at::Scalar ReadScalar(napi_env env, napi_value value, const std::string& argument) {
  switch (TypeOf(env, value)) {
    case napi_boolean:
      return ReadBool(env, value, argument);
    case napi_bigint:
      return ReadInt(env, value, argument);
    case napi_number: {
      const double number = ReadFloat(env, value, argument);
      const bool whole = std::nearbyint(number) == number && std::abs(number) <= kMaxSafeInteger &&
                         !(number == 0 && std::signbit(number));
      if (whole) return static_cast<int64_t>(number);
      return number;
    }
    case napi_object:
      if (const auto complex = ReadComplex(env, value)) return *complex;
      [[fallthrough]];
    default:
      throw Refused(argument, "a number", Describe(env, value));
  }
}

int64_t ReadInt(napi_env env, napi_value value, const std::string& argument) {
  if (const std::optional<int64_t> integer = TryInt(env, value)) return *integer;
  throw Refused(argument, "a safe integer", Describe(env, value));
}

Napi::Array ExpectArray(napi_env env, napi_value value, const std::string& argument,
                        const std::string& what) {
  const Napi::Value array(env, value);
  if (!array.IsArray()) throw Refused(argument, what, Describe(env, value));
  const uint32_t length = array.As<Napi::Array>().Length();
  if (length > kMostEntries) {
    throw Refused(argument, what + ", at most " + std::to_string(kMostEntries) + " elements long",
                  Describe(env, value));
  }
  return array.As<Napi::Array>();
}

std::vector<napi_value> ReadArray(napi_env env, napi_value value, const std::string& argument) {
  const Napi::Array array = ExpectArray(env, value, argument);
  std::vector<napi_value> entries(array.Length());
  for (uint32_t i = 0; i < entries.size(); i++) entries[i] = array.Get(i);
  return entries;
}

std::vector<int64_t> ReadInts(napi_env env, napi_value value, const std::string& argument) {
  // A single one stands for a list of it.
  if (const std::optional<int64_t> integer = TryInt(env, value)) return {*integer};
  const Napi::Array array = ExpectArray(env, value, argument);
  std::vector<int64_t> result(array.Length());
  for (uint32_t i = 0; i < result.size(); i++) {
    const Napi::HandleScope scope(env);
    const napi_value element = array.Get(i);
    // The name costs more than the element.
    const std::optional<int64_t> integer = TryInt(env, element);
    result[i] =
        integer ? *integer : ReadInt(env, element, argument + "[" + std::to_string(i) + "]");
  }
  return result;
}

uint64_t ReadSeed(napi_env env, napi_value value) {
  bool lossless = false;
  uint64_t seed = 0;
  if (napi_get_value_bigint_uint64(env, value, &seed, &lossless) != napi_ok || !lossless) {
    throw Refused("seed", "a bigint in [0, 2^64)", Describe(env, value));
  }
  return seed;
}

c10::Device ReadDevice(napi_env env, napi_value value, const std::string& argument) {
  const std::string name = ReadString(env, value, argument);
  try {
    return c10::Device(name);
  } catch (const c10::Error&) {
    throw Refused(argument, "a device such as 'cpu', 'cuda' or 'cuda:1'", "\"" + name + "\"");
  }
}

at::ScalarType ReadScalarType(napi_env env, napi_value value, const std::string& argument) {
  const auto dtype = static_cast<at::ScalarType>(
      ReadCode(env, value, argument, static_cast<int64_t>(at::ScalarType::NumOptions)));
  switch (dtype) {
    case at::kDouble:
    case at::kFloat:
    case at::kHalf:
    case at::kBFloat16:
    case at::kLong:
    case at::kInt:
    case at::kShort:
    case at::kChar:
    case at::kByte:
    case at::kBool:
    case at::kComplexFloat:
    case at::kComplexDouble:
      return dtype;
    default:
      throw Refused(argument, "a supported dtype", c10::toString(dtype));
  }
}

}  // namespace bridge
