#include "guard.h"

#include <new>

#include "devices/devices.h"
#include "dispatch/custom_function.h"

namespace bridge {

namespace {

std::string DescribeObject(const Napi::Value& value) {
  if (value.IsArray()) {
    return "an array of length " + std::to_string(value.As<Napi::Array>().Length());
  }
  if (value.IsTypedArray()) {
    return "a typed array of length " +
           std::to_string(value.As<Napi::TypedArray>().ElementLength());
  }
  return "an object";
}

std::string DescribeBigInt(const std::string& digits) {
  return digits.size() <= 80 ? digits : "a bigint of " + std::to_string(digits.size()) + " digits";
}

// The kind of error that PyTorch would have raised. The order is from derived to base.
const char* CodeOf(const c10::Error& error) {
  const std::string message = error.what_without_backtrace();
  if (SaysDeviceIsLost(message)) return "DEVICE_LOST";
  // The CPU's allocator has no kind of error of its own.
  if (message.find("can't allocate memory") != std::string::npos) return "OUT_OF_MEMORY";
  if (dynamic_cast<const c10::IndexError*>(&error) != nullptr) return "INDEX";
  if (dynamic_cast<const c10::ValueError*>(&error) != nullptr) return "VALUE";
  if (dynamic_cast<const c10::TypeError*>(&error) != nullptr) return "TYPE";
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr) return "NOT_IMPLEMENTED";
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return "OUT_OF_MEMORY";
  return "RUNTIME";
}

Failure Thrown(napi_env env, napi_value value) {
  Napi::Array holder = Napi::Array::New(env, 1);
  holder.Set(uint32_t{0}, Napi::Value(env, value));
  Failure failure;
  failure.thrown = Napi::Persistent(holder.As<Napi::Object>());
  return failure;
}

// The failure of the exception that is being handled, what user code threw included.
Failure Describe(Environment& environment, const std::string& op) {
  try {
    throw;
  } catch (const JsThrew&) {
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(environment.env, &thrown);
    return Thrown(environment.env, thrown);
  } catch (const Napi::Error& error) {
    return Thrown(environment.env, error.Value());
  } catch (const JsError& error) {
    return Thrown(environment.env, error.Thrown());
  } catch (...) {
    return DescribeFailure(op);
  }
}

}  // namespace

std::string Describe(napi_env env, napi_value raw) {
  const Napi::Value value(env, raw);
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>() ? "true" : "false";
    case napi_number:
      return value.ToString().Utf8Value();
    case napi_bigint:
      return DescribeBigInt(value.ToString().Utf8Value());
    case napi_string:
      return "\"" + value.As<Napi::String>().Utf8Value().substr(0, 60) + "\"";
    case napi_symbol:
      return "a symbol";
    case napi_function:
      return "a function";
    case napi_external:
      return "a tensor";
    case napi_object:
      return DescribeObject(value);
  }
  return "a value of unknown type";
}

Failure DescribeFailure(const std::string& op) {
  try {
    throw;
  } catch (const BridgeError& error) {
    return {error.code(), op + ": " + error.what(), op, error.argument()};
  } catch (const KeptFailure& kept) {
    return {kept.code, kept.message, kept.op};
  } catch (const c10::Error& error) {
    Failure failure{CodeOf(error), error.what_without_backtrace(), op};
    if (failure.code == "DEVICE_LOST") NoteLostDevice();
    return failure;
  } catch (const std::bad_alloc&) {
    return {"OUT_OF_MEMORY", op + ": out of memory", op};
  } catch (const std::exception& error) {
    return {"RUNTIME", error.what(), op};
  } catch (...) {
    return {"RUNTIME", op + ": an exception of unknown type", op};
  }
}

napi_value FailPending(Environment& environment, const std::string& op) noexcept {
  try {
    return environment.Fail(Describe(environment, op));
  } catch (...) {
    // A worker that is being terminated comes here: no call of Node-API succeeds then, and no
    // user code runs that would look at the result.
    return nullptr;
  }
}

}  // namespace bridge
