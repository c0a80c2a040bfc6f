#include "trace/work_queue.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "guard.h"

namespace bridge {

namespace {

// Whatever has to be done at once comes first, the event loop above all: where there are as many
// threads as processors, it would wait for its turn. Threads that OpenMP starts from here inherit
// it.
void LowerPriority() {
#ifdef __linux__
  constexpr int kNiceness = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
#endif
}

}  // namespace

// The queues of all environments. Never destroyed: workers may go on while the process ends.
class OpenQueues {
 public:
  static OpenQueues& Get() {
    static OpenQueues* const queues = [] {
      // process.exit() runs no cleanup hooks, but what libtorch destroys at the end. Handlers run
      // in the reverse of their order: libtorch, which was loaded before, finds nobody at work.
      std::atexit([] { Get().End(); });
      return new OpenQueues;
    }();
    return *queues;
  }

  void Add(WorkQueue* queue) {
    const std::lock_guard lock(mutex_);
    queue->is_ended_ = is_ended_;
    queues_.insert(queue);
  }

  void Remove(WorkQueue* queue) {
    const std::lock_guard lock(mutex_);
    queues_.erase(queue);
  }

 private:
  // Waits for the operators that run.
  void End() {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
    for (WorkQueue* queue : queues_) queue->End();
  }

  std::mutex mutex_;
  std::set<WorkQueue*> queues_;
  bool is_ended_ = false;
};

WorkQueue::WorkQueue() { OpenQueues::Get().Add(this); }

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    waiting_.clear();
    if (running_) running_->Stop();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  // Not before: whoever ends the process waits for what runs.
  OpenQueues::Get().Remove(this);
}

void WorkQueue::Open() {
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { RunAll(); });
  } catch (const std::system_error& error) {
    throw BridgeError("RUNTIME", std::string("no thread could be started for calls off the main "
                                             "thread (") +
                                     error.what() + ")");
  }
}

void WorkQueue::Add(std::shared_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(work));
  changed_.notify_all();
}

void WorkQueue::End() {
  std::unique_lock lock(mutex_);
  is_ended_ = true;
  if (running_) running_->Stop();
  changed_.wait(lock, [this] { return !is_busy_; });
}

void WorkQueue::RunAll() {
  LowerPriority();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_closed_ || (!is_ended_ && !waiting_.empty()); });
    if (is_closed_) return;
    is_busy_ = true;
    running_ = std::move(waiting_.front());
    waiting_.pop_front();
    Work& work = *running_;
    lock.unlock();
    work.Run(work.stop_);
    lock.lock();
    std::shared_ptr<Work> done = std::move(running_);
    lock.unlock();
    work.Finish(std::move(done));
    lock.lock();
    is_busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace bridge
