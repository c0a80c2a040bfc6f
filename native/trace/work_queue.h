// Work off the JavaScript thread. Each environment has a queue of its own, so that no worker waits
// for another one's work: collectives of two workers may even need each other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace bridge {

// The handle of one piece of work, which its queue and whoever queued it share.
class Work {
 public:
  Work() = default;
  virtual ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  // Asks it to end before its next step. Any thread.
  void Stop() { stop_ = true; }

 protected:
  // Both on the queue's thread; neither may throw.
  virtual void Run(const std::atomic<bool>& stop) = 0;
  // After Run(): hands the queue's share over, so that what the work holds need not go here.
  virtual void Finish(std::shared_ptr<Work> self) = 0;

 private:
  friend class WorkQueue;

  std::atomic<bool> stop_ = false;
};

// One thread that runs work in the order in which it was added.
class WorkQueue {
 public:
  WorkQueue();
  // Drops what waits, stops what runs at its next step, and ends the thread.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Starts the thread if there is none. Throws RUNTIME if none can be started; nothing has changed
  // then.
  void Open();
  // After Open().
  void Add(std::shared_ptr<Work> work);

 private:
  friend class OpenQueues;

  void RunAll();
  // Starts no work any more, and waits until none runs. The thread stays, since the process is
  // about to go.
  void End();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Work>> waiting_;
  // What runs, or is being finished.
  std::shared_ptr<Work> running_;
  bool is_busy_ = false;
  bool is_closed_ = false;
  bool is_ended_ = false;
  std::thread thread_;
};

}  // namespace bridge
