// Work that waits for other processes: each piece runs on a thread that may block, and JavaScript
// hears of its end, or waits for it.
//
// Invariant: no call of Node-API off the JavaScript thread. A task hands itself to the mailbox of
// its environment, which is closed before the environment goes; nobody joins a thread that waits
// for another process, because that may take as long as its timeout.
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "environment.h"
#include "guard.h"
#include "napi_setup.h"

namespace bridge {

class Mailbox;

// A piece of work and what came of it.
class Task {
 public:
  // Makes the result's value, on the JavaScript thread.
  using Result = std::function<napi_value(napi_env)>;

  // `what` begins the message of a failure: "allReduce: rank 0 of 2".
  Task(std::string what, std::shared_ptr<Mailbox> mailbox)
      : what_(std::move(what)), mailbox_(std::move(mailbox)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // Once, on the thread that does the work. `self` goes on to the JavaScript thread.
  void Run(const std::shared_ptr<Task>& self, const std::function<Result()>& body) noexcept;

  bool IsDone() const;
  // Blocks until it is done. Throws KeptFailure if it has failed.
  void Wait();
  // After Wait().
  napi_value Value(napi_env env) const;

 private:
  friend class Tasks;
  friend class Mailbox;

  const std::string what_;
  const std::shared_ptr<Mailbox> mailbox_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_done_ = false;
  std::optional<KeptFailure> failure_;
  Result result_;

  // JavaScript thread: what it calls at the end, whether somebody has seen it fail, and what it
  // works on, which stays alive meanwhile.
  napi_ref done_ = nullptr;
  bool is_seen_ = false;
  std::vector<at::Tensor> tensors_;
  // What keeps it alive on its way to the JavaScript thread.
  std::shared_ptr<Task> self_;
};

// Where tasks of an environment are handed in when they are done. Any thread.
class Mailbox {
 public:
  explicit Mailbox(napi_threadsafe_function deliver) : deliver_(deliver) {}

  void Post(const std::shared_ptr<Task>& task);
  // The environment is going; nothing is delivered any more.
  void Close();
  bool is_closed() const;

 private:
  mutable std::mutex mutex_;
  napi_threadsafe_function deliver_;
};

// The tasks of an environment, and the memory they work on. JavaScript thread.
class Tasks {
 public:
  explicit Tasks(Environment& environment);
  ~Tasks();
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  static Tasks& Of(napi_env env);

  // What runs a task, once and soon, on another thread.
  using Runner = std::function<void(std::function<void()>)>;

  // Starts work whose end is `done(result | failed, wasSeen)`. Whoever asks for one of `tensors`
  // before waits for it. Throws IN_USE if a call off the main thread works on one of them, and
  // RUNTIME if no thread can be started.
  std::shared_ptr<Task> Start(std::string what, napi_value done, std::vector<at::Tensor> tensors,
                              std::function<Task::Result()> body, const Runner& runner);
  // Waits for the tasks that work on the tensor's memory. Throws what they have failed with.
  void Finish(const at::Tensor& tensor);

  // Has a function called when the environment ends, unless its owner has gone before.
  void OnEnd(const void* owner, std::function<void()> end) { ends_[owner] = std::move(end); }
  void Forget(const void* owner) { ends_.erase(owner); }

  // Keeps what a backward pass in progress may use, to be freed after it.
  void Retire(std::shared_ptr<void> owned) { retired_.push_back(std::move(owned)); }
  void FreeRetired();

  // How failures of other ranks in a backward pass are called; empty if it involves none.
  std::string backward_of;

 private:
  // Memory from one address to another, on a device or the CPU.
  struct Use {
    std::pair<uintptr_t, uintptr_t> bytes;
    std::shared_ptr<Task> task;
  };

  static void Deliver(napi_env env, napi_value callback, void* context, void* data);
  static void CleanUp(void* tasks);
  void Hold(const std::shared_ptr<Task>& task, std::vector<at::Tensor> tensors);
  void Release(Task& task);

  Environment& environment_;
  napi_threadsafe_function deliver_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_;
  size_t started_ = 0;
  std::vector<Use> uses_;
  std::unordered_map<const void*, std::function<void()>> ends_;
  std::vector<std::shared_ptr<void>> retired_;
};

// The failure of the C++ exception that is being handled, of work that `what` says.
KeptFailure KeepFailure(const std::string& what);

// Runs the body on a thread of its own, which nobody joins. Throws RUNTIME if none can be started.
void StartThread(std::function<void()> body);

// A new handle of a task.
napi_value WrapTask(napi_env env, const std::shared_ptr<Task>& task);

// waitTask, isTaskDone
void RegisterTasks(Napi::Object exports);

}  // namespace bridge
