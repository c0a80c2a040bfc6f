// What one JavaScript environment (the main thread, a worker, a jest sandbox) owns.
//
// There is no process-global reference to anything of JavaScript: every native entry finds its
// environment through the napi_env it was called with.
#pragma once

#include <c10/util/Exception.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "napi_setup.h"

namespace bridge {

struct Operator;

// Live tensors of an environment. Touched on its JavaScript thread only (finalizers run there too);
// shared with every tensor handle, so that a handle that outlives the environment finds it.
class Ledger {
 public:
  void Add(node_api_basic_env env, int64_t bytes);
  void Remove(node_api_basic_env env, int64_t bytes);

  int64_t tensors() const { return tensors_; }
  int64_t bytes() const { return bytes_; }

 private:
  void Report(node_api_basic_env env, int64_t change);

  int64_t tensors_ = 0;
  int64_t bytes_ = 0;
  int64_t unreported_ = 0;
};

// Typed arrays whose memory tensors share. libtorch may drop the last tensor on any thread, where
// no reference can be deleted; what was dropped is queued and deleted at the next native entry.
// References to other values, which are never added, may be dropped here too.
class SharedBuffers {
 public:
  // Any thread.
  void Drop(napi_ref array);
  // JavaScript thread.
  void Add(napi_ref array);
  void DeleteDropped(napi_env env);
  // The environment is going; references go with it.
  void Close();
  // Throws DETACHED if any live shared array has lost its memory.
  void CheckAttached(napi_env env);

 private:
  std::mutex mutex_;
  std::vector<napi_ref> live_;
  std::vector<napi_ref> dropped_;
  // Spares every entry the lock while nothing waits.
  std::atomic<bool> waiting_ = false;
  bool closed_ = false;
};

// Keeps libtorch's warnings of one native call until they can be handed to JavaScript.
class WarningCollector : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override;
  bool empty() const { return messages_.empty(); }
  std::vector<std::string> Take();

 private:
  std::vector<std::string> messages_;
};

class Environment {
 public:
  explicit Environment(napi_env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& Of(napi_env env);

  // connect({ makeError, emitWarning }): the two functions through which native code speaks.
  void Connect(const Napi::Object& hooks);

  // A TypeScript error object: instanceof holds in the realm that connected.
  napi_value MakeError(const std::string& code, const std::string& message, const std::string& op,
                       const std::string& argument) const;
  void EmitWarnings();

  Operator& Own(std::unique_ptr<Operator> op);

  napi_env env;
  std::shared_ptr<Ledger> ledger = std::make_shared<Ledger>();
  std::shared_ptr<SharedBuffers> shared_buffers = std::make_shared<SharedBuffers>();
  WarningCollector warnings;

 private:
  Napi::FunctionReference make_error_;
  Napi::FunctionReference emit_warning_;
  std::vector<std::unique_ptr<Operator>> operators_;
};

}  // namespace bridge
