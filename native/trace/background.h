// Programs that run off the JavaScript thread: those of an environment one after the other, each
// with all of libtorch's threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <set>

#include "environment.h"
#include "napi_setup.h"
#include "trace/work_queue.h"

namespace bridge {

// A traced program as a piece of work.
class ProgramWork;

// The queue of one environment, and the memory it uses. JavaScript thread.
class Background {
 public:
  explicit Background(Environment& environment);
  // Drops queued work, and waits for the step that is running.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Queues a traced program. `done(failedStep | undefined)` is called when it has run. If that
  // fails, because no thread can be started for one, nothing has changed.
  std::shared_ptr<Work> Start(std::shared_ptr<Tracer> tracer, napi_value done);

  // Whether there is work that was not delivered.
  bool IsBusy() const { return started_ > 0; }
  // Whether such work uses the memory.
  bool Uses(const c10::StorageImpl* storage) const { return storages_.count(storage) > 0; }

 private:
  friend class ProgramWork;

  static void Deliver(napi_env env, napi_value callback, void* context, void* data);
  static void CleanUp(void* background);
  // The queue's thread: has the work delivered.
  void Post(ProgramWork& work);
  void Finish(const std::shared_ptr<ProgramWork>& work);
  // Memory ran out: gives back what can be given back, and queues the work once more, if it may run
  // twice.
  bool TryAgain(const std::shared_ptr<ProgramWork>& work);

  Environment& environment_;
  napi_threadsafe_function deliver_ = nullptr;
  size_t started_ = 0;
  // The memory of the tensors that programs work on, once for each program.
  std::multiset<const c10::StorageImpl*> storages_;
  // None once the environment ends.
  std::unique_ptr<WorkQueue> queue_ = std::make_unique<WorkQueue>();
};

// Whether a call that still waits or runs uses the tensor's memory.
bool IsUsed(const Environment& environment, const at::Tensor& tensor);

// Throws IN_USE if a call that still waits or runs uses the tensor's memory: what it reads must not
// change, because kernels trust labels that were checked before.
void CheckUnused(const Environment& environment, const at::Tensor& tensor);

// start
void RegisterBackground(Napi::Object exports);

}  // namespace bridge
