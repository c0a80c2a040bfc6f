// The only try/catch: every native entry runs inside Guard(), which keeps whatever is thrown, with
// code, op and libtorch's own message, for JavaScript to throw.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// A refusal of the bridge itself. `message` follows `<op>: expected <argument> to be <what>, but
// received <actual>`; `op` is put in front by the guard of the operator that was called.
class BridgeError : public std::runtime_error {
 public:
  BridgeError(std::string code, const std::string& message, std::string argument = {})
      : std::runtime_error(message), code_(std::move(code)), argument_(std::move(argument)) {}

  const std::string& code() const { return code_; }
  const std::string& argument() const { return argument_; }

 private:
  std::string code_;
  std::string argument_;
};

// A failure that happened before, on another thread, and is told now.
struct KeptFailure {
  std::string code;
  std::string message;
  std::string op;
};

// User code that this entry called has thrown: its exception is pending and stays what it is.
struct JsThrew {};

// The refusal of one argument.
inline BridgeError Refused(const std::string& argument, const std::string& what,
                           const std::string& actual) {
  return {"INVALID_ARGUMENT",
          "expected '" + argument + "' to be " + what + ", but received " + actual, argument};
}

// What a JavaScript value is, for the end of that sentence.
std::string Describe(napi_env env, napi_value value);

// Throws DETACHED if the typed array has lost its memory, or part of it.
void CheckSharedMemory(napi_env env, const SharedMemory& memory);

// The failure of the C++ exception that is being handled, on any thread.
Failure DescribeFailure(const std::string& op);

// Keeps the C++ exception that is being handled for JavaScript to throw; what the entry returns.
napi_value FailPending(Environment& environment, const std::string& op) noexcept;

// Runs `body` as one native entry: libtorch's warnings are collected and emitted, exceptions become
// failures. `op` names the entry in messages and must be convertible to std::string.
template <typename Name, typename Body>
napi_value Guard(Environment& environment, const Name& op, const Body& body) noexcept {
  napi_value result = nullptr;
  try {
    const c10::WarningUtils::WarningHandlerGuard collect(&environment.warnings);
    environment.shared_buffers->DeleteDropped(environment.env);
    std::exception_ptr failure;
    try {
      result = body();
    } catch (...) {
      failure = std::current_exception();
    }
    // Before the failure: with an exception pending, no JavaScript can run.
    if (!environment.warnings.empty()) environment.EmitWarnings(environment.warnings);
    if (failure) std::rethrow_exception(failure);
  } catch (...) {
    result = FailPending(environment, op);
  }
  return result;
}

// A guarded entry made of a plain function: exports.<name> = Fn. The name is the function's data.
template <Napi::Value (*Fn)(const Napi::CallbackInfo&)>
void Export(Napi::Object exports, const char* name) {
  const napi_callback entry = [](napi_env env, napi_callback_info info) -> napi_value {
    return Guard(Environment::Of(env), "libtorch",
                 [&]() -> napi_value { return Fn(Napi::CallbackInfo(env, info)); });
  };
  napi_value function = nullptr;
  napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, entry, nullptr, &function);
  exports.Set(name, function);
}

}  // namespace bridge
