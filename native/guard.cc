#include "guard.h"

#include <new>

#include "scripted_function.h"

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

// The kind of error that PyTorch would have raised. The order is from derived to base.
const char* CodeOf(const c10::Error& error) {
  if (dynamic_cast<const c10::IndexError*>(&error) != nullptr) return "INDEX";
  if (dynamic_cast<const c10::ValueError*>(&error) != nullptr) return "VALUE";
  if (dynamic_cast<const c10::TypeError*>(&error) != nullptr) return "TYPE";
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr) return "NOT_IMPLEMENTED";
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return "OUT_OF_MEMORY";
  return "RUNTIME";
}

void Throw(Environment& environment, const std::string& code, const std::string& message,
           const std::string& op, const std::string& argument) {
  napi_throw(environment.env, environment.MakeError(code, message, op, argument));
}

void Rethrow(Environment& environment, const std::string& op) {
  try {
    throw;
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const ScriptError& error) {
    napi_throw(environment.env, error.Thrown());
  } catch (const BridgeError& error) {
    Throw(environment, error.code(), op + ": " + error.what(), op, error.argument());
  } catch (const c10::Error& error) {
    Throw(environment, CodeOf(error), error.what_without_backtrace(), op, {});
  } catch (const std::bad_alloc&) {
    Throw(environment, "OUT_OF_MEMORY", op + ": out of memory", op, {});
  } catch (const std::exception& error) {
    Throw(environment, "RUNTIME", error.what(), op, {});
  } catch (...) {
    Throw(environment, "RUNTIME", op + ": an exception of unknown type", op, {});
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
    case napi_bigint:
      return value.ToString().Utf8Value();
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

void ThrowPending(Environment& environment, const std::string& op) noexcept {
  try {
    Rethrow(environment, op);
  } catch (const Napi::Error& error) {
    // Making the error failed: the environment is shutting down, or the hook itself threw.
    error.ThrowAsJavaScriptException();
  } catch (...) {
    napi_throw_error(environment.env, nullptr, "libtorch: an error could not be reported");
  }
}

}  // namespace bridge
