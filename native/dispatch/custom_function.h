// Autograd functions whose gradients a script computes.
#pragma once

#include <stdexcept>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// A strong reference to a JavaScript value that may be dropped on any thread: the autograd graph
// that holds it is freed wherever libtorch frees it, the garbage collection included.
class ScriptReference {
 public:
  ScriptReference(napi_env env, napi_value value);
  ~ScriptReference();
  ScriptReference(const ScriptReference&) = delete;
  ScriptReference& operator=(const ScriptReference&) = delete;

  // JavaScript thread only.
  napi_value Value() const;
  napi_env env() const { return env_; }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
  std::shared_ptr<SharedBuffers> dropped_to_;
};

// What a script threw on its way through libtorch's autograd engine, as it was.
class ScriptError : public std::runtime_error {
 public:
  explicit ScriptError(std::shared_ptr<ScriptReference> thrown)
      : std::runtime_error("a script that computes gradients failed"), thrown_(std::move(thrown)) {}

  napi_value Thrown() const { return thrown_->Value(); }

 private:
  std::shared_ptr<ScriptReference> thrown_;
};

// recordFunction
void RegisterScriptedFunction(Napi::Object exports);

}  // namespace bridge
