#include "dispatch/hooks.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <thread>
#include <utility>

#include "dispatch/custom_function.h"
#include "guard.h"
#include "values/external.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

constexpr napi_type_tag kHookTag = {0x6b1f0c52d7a94e83, 0x9d05e4c8312fb67a};

// A function that libtorch's engine calls with a gradient. Only the graph holds it: a removed one
// stays in the graph's list, where it costs a look and holds nothing.
class Hook {
 public:
  Hook(napi_env env, napi_value function)
      : function_(std::make_unique<JsReference>(env, function)) {}

  void Remove() { function_ = nullptr; }

  // The gradient in the place of this one; undefined where it stays.
  at::Tensor operator()(const at::Tensor& gradient) const {
    if (function_ == nullptr) return {};
    if (std::this_thread::get_id() != thread_) {
      throw BridgeError("RUNTIME",
                        "a hook is a function of the thread that registered it, and the backward "
                        "pass reached it on another");
    }
    // Kept while it runs, for it may remove itself.
    const std::shared_ptr<JsReference> function = function_;
    const napi_env env = function->env();
    const Napi::HandleScope scope(env);
    try {
      const Napi::Value given = gradient.defined() ? Napi::Value(env, WrapTensor(env, gradient))
                                                   : Napi::Env(env).Undefined();
      const Napi::Value result = Napi::Function(env, function->Value()).Call({given});
      // The pass goes on with what the graph has saved, whose memory the hook may have taken away.
      Environment::Of(env).shared_buffers->CheckAttached(env);
      if (result.IsUndefined()) return {};
      const at::Tensor replacement = UnwrapTensor(env, result, "hook");
      NoteInGraph(env, replacement);
      return replacement;
    } catch (const Napi::Error& error) {
      throw JsError(std::make_shared<JsReference>(env, error.Value()));
    }
  }

 private:
  std::shared_ptr<JsReference> function_;
  std::thread::id thread_ = std::this_thread::get_id();
};

// What JavaScript removes a hook by. A strong pointer here would close a circle through the
// function's own scope, which nothing collects.
using Registered = std::weak_ptr<Hook>;

// registerHook(tensor, hook): what removeHook takes. `hook(gradient)` gives a gradient, or
// undefined where it stays.
Napi::Value RegisterHook(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const at::Tensor tensor = UnwrapTensor(env, info[0], "tensor");
  if (!info[1].IsFunction()) throw Refused("hook", "a function", Describe(env, info[1]));
  const auto hook = std::make_shared<Hook>(env, info[1]);
  tensor.register_hook([hook](at::Tensor gradient) { return (*hook)(gradient); });
  return {env, ToExternal(env, std::make_unique<Registered>(hook), kHookTag)};
}

Napi::Value RemoveHook(const Napi::CallbackInfo& info) {
  const auto* registered = FromExternal<Registered>(info.Env(), info[0], kHookTag);
  if (registered == nullptr) throw Refused("handle", "a handle", Describe(info.Env(), info[0]));
  if (const auto hook = registered->lock()) hook->Remove();
  return info.Env().Undefined();
}

}  // namespace

void RegisterHooks(Napi::Object exports) {
  Export<RegisterHook>(exports, "registerHook");
  Export<RemoveHook>(exports, "removeHook");
}

}  // namespace bridge
