#include "values/objects.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Tensor.h>

#include <memory>
#include <mutex>
#include <utility>

#include "devices/streams.h"
#include "guard.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// Made by a random generator once; they tell these handles from every other External.
constexpr napi_type_tag kGeneratorTag = {0x5be2a94c17d0f638, 0x90c43e71fa8d256b};
constexpr napi_type_tag kObjectTag = {0xa3f81d6e4c925b07, 0x2e7b90d5c6183fa4};

napi_value WrapGenerator(napi_env env, at::Generator generator) {
  return ToExternal(env, std::make_unique<at::Generator>(std::move(generator)), kGeneratorTag);
}

at::Generator Self(const Napi::CallbackInfo& info) {
  return UnwrapGenerator(info.Env(), info[0], "generator");
}

bool IsAbsent(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_undefined || type == napi_null;
}

c10::IValue ReadAny(napi_env env, napi_value value, const std::string& argument) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  switch (type) {
    case napi_undefined:
    case napi_null:
      return {};
    case napi_string:
      return ReadString(env, value, argument);
    case napi_external:
      if (const auto* object = FromExternal<c10::IValue>(env, value, kObjectTag)) return *object;
      return UnwrapTensor(env, value, argument);
    default:
      return ReadScalar(env, value, argument);
  }
}

c10::IValue ReadElements(napi_env env, napi_value value, const c10::TypePtr& element,
                         const std::string& argument) {
  const Napi::Array array = ExpectArray(env, value, argument);
  c10::impl::GenericList list(element);
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(env);
    list.push_back(
        ToIValueOfType(env, array.Get(i), element, argument + "[" + std::to_string(i) + "]"));
  }
  return list;
}

c10::IValue ReadTuple(napi_env env, napi_value value, const c10::TupleType& tuple,
                      const std::string& argument) {
  const Napi::Array array = ExpectArray(env, value, argument);
  const auto elements = tuple.elements();
  if (array.Length() != elements.size()) {
    throw Refused(argument, std::to_string(elements.size()) + " values long",
                  std::to_string(array.Length()));
  }
  std::vector<c10::IValue> values;
  for (uint32_t i = 0; i < elements.size(); i++) {
    values.push_back(
        ToIValueOfType(env, array.Get(i), elements[i], argument + "[" + std::to_string(i) + "]"));
  }
  return c10::ivalue::Tuple::create(std::move(values));
}

// [key, value] pairs.
c10::IValue ReadDict(napi_env env, napi_value value, const c10::DictType& type,
                     const std::string& argument) {
  const Napi::Array pairs = ExpectArray(env, value, argument, "an array of [key, value]");
  c10::impl::GenericDict dict(type.getKeyType(), type.getValueType());
  for (uint32_t i = 0; i < pairs.Length(); i++) {
    const Napi::HandleScope scope(env);
    const std::string name = argument + "[" + std::to_string(i) + "]";
    const Napi::Array pair = ExpectArray(env, pairs.Get(i), name, "[key, value]");
    dict.insert_or_assign(ToIValueOfType(env, pair.Get(uint32_t{0}), type.getKeyType(), name),
                          ToIValueOfType(env, pair.Get(uint32_t{1}), type.getValueType(), name));
  }
  return dict;
}

c10::IValue ReadObject(napi_env env, napi_value value, const c10::TypePtr& type,
                       const std::string& argument) {
  const auto* object = FromExternal<c10::IValue>(env, value, kObjectTag);
  if (object == nullptr || !object->type()->isSubtypeOf(*type)) {
    throw Refused(argument, "a value of type " + type->repr_str(),
                  object == nullptr ? Describe(env, value) : object->type()->repr_str());
  }
  return *object;
}

// newGenerator(device): with a seed of its own, the same for each
Napi::Value NewGenerator(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadDevice(info.Env(), info[0], "device");
  if (device.is_cpu()) {
    return {info.Env(), WrapGenerator(info.Env(), at::detail::createCPUGenerator())};
  }
  const auto& hooks = at::globalContext().getAcceleratorHooksInterface(device.type());
  return {info.Env(), WrapGenerator(info.Env(), hooks.getNewGenerator(device.index()))};
}

// defaultGenerator(device): the one that is used where none is given
Napi::Value DefaultGenerator(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadDevice(info.Env(), info[0], "device");
  return {info.Env(), WrapGenerator(info.Env(), at::globalContext().defaultGenerator(device))};
}

Napi::Value GeneratorDevice(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Self(info).device().str());
}

// manualSeedGenerator(generator, seed: bigint in [0, 2^64))
Napi::Value ManualSeedGenerator(const Napi::CallbackInfo& info) {
  at::Generator generator = Self(info);
  const uint64_t seed = ReadSeed(info.Env(), info[1]);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
  return info.Env().Undefined();
}

// initialSeed(generator): a bigint
Napi::Value InitialSeed(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), Self(info).current_seed());
}

// seedGenerator(generator): a new seed by chance, a bigint
Napi::Value SeedGenerator(const Napi::CallbackInfo& info) {
  at::Generator generator = Self(info);
  const std::lock_guard lock(generator.mutex());
  return Napi::BigInt::New(info.Env(), generator.seed());
}

// generatorState(generator): a tensor of bytes
Napi::Value GeneratorState(const Napi::CallbackInfo& info) {
  at::Generator generator = Self(info);
  const std::lock_guard lock(generator.mutex());
  return {info.Env(), WrapTensor(info.Env(), generator.get_state())};
}

// setGeneratorState(generator, state)
Napi::Value SetGeneratorState(const Napi::CallbackInfo& info) {
  at::Generator generator = Self(info);
  const at::Tensor state = UnwrapTensor(info.Env(), info[1], "state");
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state);
  return info.Env().Undefined();
}

// storage(tensor): the memory that the tensor shows part of
Napi::Value StorageOf(const Napi::CallbackInfo& info) {
  return {info.Env(),
          WrapObject(info.Env(), UnwrapTensor(info.Env(), info[0], "tensor").storage())};
}

}  // namespace

const at::Generator& UnwrapGenerator(napi_env env, napi_value value, const std::string& argument) {
  const auto* generator = FromExternal<at::Generator>(env, value, kGeneratorTag);
  if (generator == nullptr) throw Refused(argument, "a Generator", Describe(env, value));
  return *generator;
}

napi_value WrapObject(napi_env env, const c10::IValue& value) {
  if (value.isGenerator()) return WrapGenerator(env, value.toGenerator());
  return ToExternal(env, std::make_unique<c10::IValue>(value), kObjectTag);
}

c10::IValue ToIValueOfType(napi_env env, napi_value value, const c10::TypePtr& type,
                           const std::string& argument) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (IsAbsent(env, value)) return {};
      return ToIValueOfType(env, value, type->castRaw<c10::OptionalType>()->getElementType(),
                            argument);
    case c10::TypeKind::ListType:
      return ReadElements(env, value, type->castRaw<c10::ListType>()->getElementType(), argument);
    case c10::TypeKind::TupleType:
      return ReadTuple(env, value, type->expectRef<c10::TupleType>(), argument);
    case c10::TypeKind::DictType:
      return ReadDict(env, value, type->expectRef<c10::DictType>(), argument);
    case c10::TypeKind::AnyType:
      return ReadAny(env, value, argument);
    case c10::TypeKind::TensorType:
      return UnwrapTensor(env, value, argument);
    case c10::TypeKind::GeneratorType:
      return UnwrapGenerator(env, value, argument);
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return ReadInt(env, value, argument);
    case c10::TypeKind::FloatType:
      return ReadFloat(env, value, argument);
    case c10::TypeKind::BoolType:
      return ReadBool(env, value, argument);
    case c10::TypeKind::NumberType:
      return ReadScalar(env, value, argument);
    case c10::TypeKind::ComplexType:
      return ReadScalar(env, value, argument).toComplexDouble();
    case c10::TypeKind::StringType:
      return ReadString(env, value, argument);
    case c10::TypeKind::DeviceObjType:
      return ReadDevice(env, value, argument);
    case c10::TypeKind::StreamObjType:
      return UnwrapStream(env, value, argument);
    default:
      return ReadObject(env, value, type, argument);
  }
}

void RegisterObjects(Napi::Object exports) {
  Export<NewGenerator>(exports, "newGenerator");
  Export<DefaultGenerator>(exports, "defaultGenerator");
  Export<GeneratorDevice>(exports, "generatorDevice");
  Export<ManualSeedGenerator>(exports, "manualSeedGenerator");
  Export<InitialSeed>(exports, "initialSeed");
  Export<SeedGenerator>(exports, "seedGenerator");
  Export<GeneratorState>(exports, "generatorState");
  Export<SetGeneratorState>(exports, "setGeneratorState");
  Export<StorageOf>(exports, "storage");
}

}  // namespace bridge
