// Autograd functions whose gradients user code computes.
#pragma once

#include <stdexcept>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// A strong reference to a JavaScript value that may be dropped on any thread: the autograd graph
// that holds it is freed wherever libtorch frees it, the garbage collection included.
class JsReference {
 public:
  JsReference(napi_env env, napi_value value);
  ~JsReference();
  JsReference(const JsReference&) = delete;
  JsReference& operator=(const JsReference&) = delete;

  // JavaScript thread only.
  napi_value Value() const;
  napi_env env() const { return env_; }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
  std::shared_ptr<SharedBuffers> dropped_to_;
};

// What user code threw, on its way through libtorch's autograd engine, as it was.
class JsError : public std::runtime_error {
 public:
  explicit JsError(std::shared_ptr<JsReference> thrown)
      : std::runtime_error("user code that computes gradients failed"),
        thrown_(std::move(thrown)) {}

  napi_value Thrown() const { return thrown_->Value(); }

 private:
  std::shared_ptr<JsReference> thrown_;
};

// customFunction, hookGradients
void RegisterCustomFunction(Napi::Object exports);

}  // namespace bridge
