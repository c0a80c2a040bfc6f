// Programs that run off the JavaScript thread: one after the other, on a thread of the process's
// own, each with all of libtorch's threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <set>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// What one environment has in the queue.
class Background {
 public:
  explicit Background(Environment& environment);
  // Drops what waits, and waits for the step that runs.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  struct Job;

  // Queues a recorded program. `done(failedStep | undefined)` is called when it has run. If that
  // fails, because no thread can be started for one, nothing has changed.
  void Start(std::shared_ptr<Recording> recording, napi_value done);

  // Whether a job has not been delivered. JavaScript thread.
  bool IsBusy() const { return started_ > 0; }
  // Whether such a job uses the memory. JavaScript thread.
  bool Uses(const c10::StorageImpl* storage) const { return storages_.count(storage) > 0; }

  // Called on the thread that ran the job.
  void Finish(std::unique_ptr<Job> job);

 private:
  static void Deliver(napi_env env, napi_value callback, void* context, void* data);
  static void CleanUp(void* background);
  // Memory ran out: gives back what can be given back, and queues the job once more, if it may run
  // twice.
  bool TryAgain(std::unique_ptr<Job>& job);
  void Abandon();

  Environment& environment_;
  napi_threadsafe_function deliver_ = nullptr;
  size_t started_ = 0;
  // The memory of the tensors that jobs work on, once for each job.
  std::multiset<const c10::StorageImpl*> storages_;
  bool abandoned_ = false;
};

// Whether a call that still waits or runs uses the tensor's memory.
bool IsUsed(const Environment& environment, const at::Tensor& tensor);

// Throws IN_USE if a call that still waits or runs uses the tensor's memory: what it reads must not
// change, because kernels trust labels that were checked before.
void CheckUnused(const Environment& environment, const at::Tensor& tensor);

// start
void RegisterBackground(Napi::Object exports);

}  // namespace bridge
