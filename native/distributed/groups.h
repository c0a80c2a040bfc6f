// Process groups of libtorch's c10d on Gloo, and their collectives.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "distributed/stores.h"
#include "distributed/tasks.h"
#include "napi_setup.h"

namespace bridge {

using GroupPointer = c10::intrusive_ptr<c10d::ProcessGroup>;

// A thread that runs jobs in their order, as long as there are any. JavaScript thread.
class JobQueue {
 public:
  JobQueue() = default;
  // What has not begun is dropped; the thread ends after the job that runs.
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // Throws RUNTIME if no thread can be started.
  void Add(std::function<void()> job);
  bool IsIdle() const;

 private:
  // Shared with the thread, for which nobody waits.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> jobs;
    bool has_thread = false;
    bool is_busy = false;
    bool is_closed = false;
  };

  static void RunAll(State& state);

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// A group of processes. It may still be connecting; whoever uses it waits for that.
//
// Where ranks pass different shapes to a collective, libtorch ends the process or computes wrong
// numbers. So if every rank is a Node process, calls of user code go through a second group, whose
// ranks first compare what they are about to do. The first one is laid out as Python's, and is what
// DistributedDataParallel uses.
class Group {
 public:
  struct Config {
    std::string name;
    std::string description;
    int rank;
    int size;
    std::chrono::milliseconds timeout;
  };

  Group(Config config, SharedStore store) : config_(std::move(config)), store_(std::move(store)) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const Config& config() const { return config_; }

  // On a thread that may block, once.
  void Connect();
  // Waits until it is connected; throws what that failed with, or that it was destroyed.
  GroupPointer Get() const;
  // After Get(): the group in which ranks compare what they call; null if they do not.
  GroupPointer Comparing() const;
  // For collectives, which every rank makes in the same order.
  JobQueue& queue() { return queue_; }
  // For what one rank sends with one tag, which arrives in its order.
  JobQueue& QueueFrom(int64_t source, int64_t tag) { return queues_[{source, tag}]; }

  // Ends it; blocks for as long as a collective is in progress.
  void Destroy();
  // The environment ends, maybe with the process: ends the group only if that takes no time.
  void Abandon();

 private:
  const Config config_;
  const SharedStore store_;
  JobQueue queue_;
  std::map<std::pair<int64_t, int64_t>, JobQueue> queues_;
  std::promise<void> connected_;
  const std::shared_future<void> connection_ = connected_.get_future().share();
  mutable std::mutex mutex_;
  GroupPointer group_;
  GroupPointer comparing_;
};

// Throws INVALID_ARGUMENT for anything but a group of ours.
const std::shared_ptr<Group>& UnwrapGroup(napi_env env, napi_value value,
                                          const std::string& argument);

// "allReduce: rank 0 of 2"
std::string NameCall(const std::string& op, const Group::Config& config);

// newGroup, registerGroup, destroyGroup
void RegisterGroups(Napi::Object exports);

}  // namespace bridge
