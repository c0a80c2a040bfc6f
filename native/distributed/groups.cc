#include "distributed/groups.h"

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/debug.h>

#include <cstdlib>
#include <sstream>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupWrapper.hpp>
#include <utility>
#include <vector>

#include "values/external.h"
#include "values/ivalue.h"

namespace bridge {

namespace {

using c10d::PrefixStore;
using c10d::ProcessGroup;
using c10d::ProcessGroupGloo;

constexpr napi_type_tag kGroupTag = {0x90b3e6a1f4582d7c, 0x3bd07c9e1a64f825};

// Whoever finds these keys of all ranks knows that all are Node processes of this protocol.
std::string MarkOf(int rank) { return "libtorch-losses/1/" + std::to_string(rank); }

StorePointer Prefixed(const std::string& prefix, const StorePointer& store) {
  return c10::make_intrusive<PrefixStore>(prefix, store);
}

// As Python's: the devices of GLOO_SOCKET_IFNAME, or the one of this machine's name.
c10::intrusive_ptr<ProcessGroupGloo::Options> MakeOptions(std::chrono::milliseconds timeout) {
  auto options = ProcessGroupGloo::Options::create(timeout);
  const char* names = std::getenv("GLOO_SOCKET_IFNAME");
  if (names != nullptr && *names != '\0') {
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
      options->devices.push_back(ProcessGroupGloo::createDeviceForInterface(name));
    }
  } else {
    options->devices.push_back(ProcessGroupGloo::createDefaultDevice());
  }
  options->threads = static_cast<int>(2 * options->devices.size());
  return options;
}

c10::intrusive_ptr<ProcessGroupGloo> MakeGloo(const StorePointer& store,
                                              const Group::Config& config) {
  return c10::make_intrusive<ProcessGroupGloo>(store, config.rank, config.size,
                                               MakeOptions(config.timeout));
}

// A group whose collectives, on every device, are the backend's.
GroupPointer MakeGroup(const StorePointer& store, const Group::Config& config,
                       const c10::intrusive_ptr<c10d::Backend>& backend) {
  auto group = c10::make_intrusive<ProcessGroup>(store, config.rank, config.size);
  group->setDefaultBackend(ProcessGroup::BackendType::GLOO);
  for (const auto type : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
    group->setBackend(type, ProcessGroup::BackendType::GLOO, backend);
  }
  group->setGroupName(config.name);
  group->setGroupDesc(config.description);
  return group;
}

// Python calls it; from 2.14 on there is no such function.
template <typename Backend>
void SetSequenceNumber(Backend& backend) {
  if constexpr (requires { backend.setSequenceNumberForGroup(); }) {
    backend.setSequenceNumberForGroup();
  }
}

bool Asks(c10d::DebugLevel level) {
  c10d::setDebugLevelFromEnvironment();
  return c10d::debug_level() == level;
}

}  // namespace

JobQueue::~JobQueue() {
  const std::lock_guard lock(state_->mutex);
  state_->is_closed = true;
  state_->jobs.clear();
  state_->changed.notify_all();
}

void JobQueue::Add(std::function<void()> job) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->has_thread) StartThread([state = state_] { RunAll(*state); });
  state_->has_thread = true;
  state_->jobs.push_back(std::move(job));
  state_->changed.notify_all();
}

bool JobQueue::IsIdle() const {
  const std::lock_guard lock(state_->mutex);
  return state_->jobs.empty() && !state_->is_busy;
}

void JobQueue::RunAll(State& state) {
  // Another job usually follows soon.
  constexpr auto kPatience = std::chrono::seconds(1);
  std::unique_lock lock(state.mutex);
  while (state.changed.wait_for(lock, kPatience, [&] {
    return state.is_closed || !state.jobs.empty();
  }) && !state.is_closed) {
    std::function<void()> job = std::move(state.jobs.front());
    state.jobs.pop_front();
    state.is_busy = true;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    state.is_busy = false;
  }
  state.has_thread = false;
}

void Group::Connect() {
  try {
    const StorePointer store = Prefixed(config_.name + "/", store_.get());
    store->set(MarkOf(config_.rank), std::vector<uint8_t>{1});
    // The layout of Python's: the backend of several devices is named after the first.
    const StorePointer of_backend = Prefixed("cpu/", store);
    c10::intrusive_ptr<c10d::Backend> backend = MakeGloo(of_backend, config_);
    SetSequenceNumber(*backend);
    const bool wraps = Asks(c10d::DebugLevel::Detail);
    if (wraps) {
      backend = c10::make_intrusive<c10d::ProcessGroupWrapper>(
          backend, MakeGloo(Prefixed("pg_wrapper:" + config_.name, of_backend), config_));
    }
    // Every rank has written its mark before it connected to this one.
    std::vector<std::string> marks;
    for (int rank = 0; rank < config_.size; rank++) marks.push_back(MarkOf(rank));
    GroupPointer comparing;
    if (!wraps && config_.size > 1 && store->check(marks)) {
      const StorePointer behind = Prefixed("libtorch-losses/", store);
      comparing = MakeGroup(behind, config_, MakeGloo(behind, config_));
    }
    const std::lock_guard lock(mutex_);
    group_ = MakeGroup(store, config_, backend);
    comparing_ = std::move(comparing);
  } catch (...) {
    connected_.set_exception(std::current_exception());
    throw;
  }
  connected_.set_value();
}

GroupPointer Group::Get() const {
  connection_.get();
  const std::lock_guard lock(mutex_);
  if (!group_) throw BridgeError("DISTRIBUTED", "the process group was destroyed");
  return group_;
}

GroupPointer Group::Comparing() const {
  const std::lock_guard lock(mutex_);
  return comparing_;
}

void Group::Destroy() {
  GroupPointer group;
  GroupPointer comparing;
  const std::lock_guard lock(mutex_);
  group.swap(group_);
  comparing.swap(comparing_);
}

void Group::Abandon() {
  // Nothing runs in it, and nothing will.
  if (queue_.IsIdle()) return Destroy();
  const std::lock_guard lock(mutex_);
  static_cast<void>(group_.release());
  static_cast<void>(comparing_.release());
}

namespace {

napi_value WrapGroup(napi_env env, const std::shared_ptr<Group>& group) {
  return ToExternal(env, std::make_unique<std::shared_ptr<Group>>(group), kGroupTag);
}

// newGroup(op, store, name, description, rank, size, timeout, done): [group, task]
Napi::Value NewGroup(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string op = ReadString(env, info[0], "op");
  const SharedStore store = UnwrapStore(env, info[1], "store");
  Group::Config config{ReadString(env, info[2], "name"), ReadString(env, info[3], "description"),
                       static_cast<int>(ReadInt(env, info[4], "rank")),
                       static_cast<int>(ReadInt(env, info[5], "size")), ReadTimeout(env, info[6])};
  if (config.size < 1 || config.rank < 0 || config.rank >= config.size) {
    throw Refused("rank", "an integer in [0, worldSize)", std::to_string(config.rank));
  }
  Tasks& tasks = Tasks::Of(env);
  const auto group = std::make_shared<Group>(config, store);
  tasks.OnEnd(group.get(), [group] { group->Abandon(); });
  const auto task = tasks.Start(
      NameCall(op, config), info[7], {},
      [group]() -> Task::Result {
        group->Connect();
        return {};
      },
      StartThread);
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(uint32_t{0}, Napi::Value(env, WrapGroup(env, group)));
  result.Set(uint32_t{1}, Napi::Value(env, WrapTask(env, task)));
  return result;
}

// registerGroup(group): operators of _c10d_functional find it by its name, on this thread
Napi::Value RegisterGroup(const Napi::CallbackInfo& info) {
  const auto& group = UnwrapGroup(info.Env(), info[0], "group");
  c10d::set_thread_isolation_mode(true);
  c10d::register_process_group(group->config().name, group->Get());
  return info.Env().Undefined();
}

// destroyGroup(group, done): a task, after the collectives that were started
Napi::Value DestroyGroup(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::shared_ptr<Group> group = UnwrapGroup(env, info[0], "group");
  c10d::unregister_process_group(group->config().name);
  Tasks& tasks = Tasks::Of(env);
  tasks.Forget(group.get());
  const auto body = [group]() -> Task::Result {
    group->Destroy();
    return {};
  };
  return {env,
          WrapTask(env, tasks.Start(NameCall("destroyProcessGroup", group->config()), info[1], {},
                                    body, [&](auto job) { group->queue().Add(std::move(job)); }))};
}

}  // namespace

std::string NameCall(const std::string& op, const Group::Config& config) {
  return op + ": rank " + std::to_string(config.rank) + " of " + std::to_string(config.size);
}

const std::shared_ptr<Group>& UnwrapGroup(napi_env env, napi_value value,
                                          const std::string& argument) {
  const auto* group = FromExternal<std::shared_ptr<Group>>(env, value, kGroupTag);
  if (group == nullptr) throw Refused(argument, "a ProcessGroup", Describe(env, value));
  return *group;
}

void RegisterGroups(Napi::Object exports) {
  Export<NewGroup>(exports, "newGroup");
  Export<RegisterGroup>(exports, "registerGroup");
  Export<DestroyGroup>(exports, "destroyGroup");
}

}  // namespace bridge
