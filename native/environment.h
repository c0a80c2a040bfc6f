// What one JavaScript environment (the main thread, a worker, a jest sandbox) owns.
//
// There is no process-global reference to anything of JavaScript: every native entry finds its
// environment through the napi_env it was called with.
#pragma once

#include <c10/util/Exception.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "napi_setup.h"

namespace at {
class Tensor;
}

namespace bridge {

struct Operator;
class Background;
class Tasks;
class TensorTable;
class Tracer;

// Memory of a typed array that a storage uses.
struct SharedMemory {
  napi_ref array;
  // Where it was, and of how many elements, when it was shared.
  void* data;
  size_t length;
  // The tensors over it that user code holds. JavaScript thread.
  std::unordered_set<const at::Tensor*> handles = {};
  // Whether SharedBuffers has it in its list of memory that a graph may use. JavaScript thread.
  bool may_be_in_graph = false;
  // Whether the last tensor over it is gone.
  std::atomic<bool> is_dropped = false;

  SharedMemory(napi_ref array, void* data, size_t length)
      : array(array), data(data), length(length) {}
};

// Typed arrays whose memory tensors share. libtorch may drop the last tensor on any thread, where
// no reference can be deleted; what was dropped is queued and deleted at the next native entry.
// References to other values, which are never added, may be dropped here too.
class SharedBuffers {
 public:
  // Any thread.
  void Drop(const std::shared_ptr<SharedMemory>& memory);
  // Any reference that was dropped where none can be deleted.
  void Drop(napi_ref reference);
  // JavaScript thread: a tensor over it is an operand while graphs are recorded.
  void NoteGraph(const std::shared_ptr<SharedMemory>& memory);
  void DeleteDropped(napi_env env);
  // The environment is going; references go with it.
  void Close();
  // Throws DETACHED if an array has lost its memory that more than handles may use: a graph.
  void CheckAttached(napi_env env);

 private:
  void ForgetUnused();

  // Only what a graph may use is looked at before a backward pass, however many arrays are shared.
  // Invariant: memory that a graph has saved is in here, since every operand passes CheckStorage.
  std::vector<std::shared_ptr<SharedMemory>> in_graphs_;
  // The length of the list at which memory that no graph uses any more leaves it.
  size_t forget_at_ = kForgetFirst;
  static constexpr size_t kForgetFirst = 64;

  std::mutex mutex_;
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

// Why an entry failed.
struct Failure {
  std::string code = {};
  std::string message = {};
  std::string op = {};
  std::string argument = {};
  // In place of all of them: an array with what user code threw that the entry called.
  Napi::ObjectReference thrown = {};
};

class Environment {
 public:
  explicit Environment(napi_env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& Of(napi_env env);

  // What can fail of making it; inside of a guard.
  void Open();

  // connect({ emitWarning, collectYoung }): the functions that native code calls unasked.
  void Connect(const Napi::Object& hooks);
  void EmitWarnings(WarningCollector& collected);
  // After a tensor was made: collects dropped ones, if many may be, while caches hold their memory.
  void CollectDropped();

  // The value that a failed entry returns, and nothing else is: JavaScript then takes the failure
  // and throws it.
  //
  // No entry throws, because Node throws a native exception on after the entry has returned, and
  // ends the process if that very moment collects garbage with a finalizer of ours in it.
  napi_value Fail(Failure failure);
  napi_value failed() const { return failed_.Value(); }

  // [code, message, op, argument], or [what user code threw]; empty if nothing has failed.
  Napi::Array TakeFailure();

  Operator& Own(std::unique_ptr<Operator> op);

  napi_env env;
  // Those that user code holds.
  std::shared_ptr<TensorTable> tensors;
  std::shared_ptr<SharedBuffers> shared_buffers = std::make_shared<SharedBuffers>();
  WarningCollector warnings;
  // While there is one, operators are traced instead of called.
  std::shared_ptr<Tracer> tracer;
  // Its calls that run off the JavaScript thread; made at the first of them.
  std::unique_ptr<Background> background;
  // Its work that waits for other processes; made at the first of it.
  std::unique_ptr<Tasks> tasks;

 private:
  Napi::ObjectReference failed_;
  std::optional<Failure> failure_;
  Napi::FunctionReference emit_warning_;
  Napi::FunctionReference collect_young_;
  std::vector<std::unique_ptr<Operator>> operators_;
};

}  // namespace bridge
