#include "distributed/tasks.h"

#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "trace/background.h"
#include "values/external.h"
#include "values/storage.h"
#include "values/tensor_table.h"

namespace bridge {

namespace {

constexpr napi_type_tag kTaskTag = {0x4d81c3f7a92e0b65, 0xe7315f08d24ac96b};

// From the first byte that the tensor shows to the end of the last.
std::pair<uintptr_t, uintptr_t> BytesUnder(const at::Tensor& tensor) {
  const auto begin = reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
  if (tensor.numel() == 0) return {begin, begin};
  int64_t last = 0;
  for (int64_t i = 0; i < tensor.dim(); i++) last += (tensor.size(i) - 1) * tensor.stride(i);
  return {begin, begin + static_cast<uintptr_t>(last + 1) * tensor.itemsize()};
}

const std::shared_ptr<Task>& ReadTask(const Napi::CallbackInfo& info) {
  const auto* task = FromExternal<std::shared_ptr<Task>>(info.Env(), info[0], kTaskTag);
  if (task == nullptr) throw Refused("work", "a Work", Describe(info.Env(), info[0]));
  return *task;
}

// waitTask(task): its result, when it is there; blocks
Napi::Value WaitTask(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Task> task = ReadTask(info);
  task->Wait();
  return {info.Env(), task->Value(info.Env())};
}

Napi::Value IsTaskDone(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ReadTask(info)->IsDone());
}

}  // namespace

KeptFailure KeepFailure(const std::string& what) {
  Failure failure = DescribeFailure(what);
  const std::string begin = what + ": ";
  if (failure.message.rfind(begin, 0) != 0) failure.message = begin + failure.message;
  // Gloo has no kind of error of its own.
  if (failure.code == "RUNTIME") failure.code = "DISTRIBUTED";
  return {failure.code, failure.message, what.substr(0, what.find(':'))};
}

void Task::Run(const std::shared_ptr<Task>& self, const std::function<Result()>& body) noexcept {
  Result result;
  std::optional<KeptFailure> failure;
  try {
    result = body();
  } catch (...) {
    failure = KeepFailure(what_);
  }
  {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    failure_ = std::move(failure);
    is_done_ = true;
    changed_.notify_all();
  }
  mailbox_->Post(self);
}

bool Task::IsDone() const {
  const std::lock_guard lock(mutex_);
  return is_done_;
}

void Task::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_done_; });
  if (!failure_) return;
  is_seen_ = true;
  throw *failure_;
}

napi_value Task::Value(napi_env env) const {
  return result_ ? result_(env) : Napi::Env(env).Undefined();
}

void Mailbox::Post(const std::shared_ptr<Task>& task) {
  const std::lock_guard lock(mutex_);
  if (deliver_ == nullptr) return;
  task->self_ = task;
  if (napi_call_threadsafe_function(deliver_, task.get(), napi_tsfn_nonblocking) != napi_ok) {
    task->self_.reset();
  }
}

void Mailbox::Close() {
  const std::lock_guard lock(mutex_);
  deliver_ = nullptr;
}

bool Mailbox::is_closed() const {
  const std::lock_guard lock(mutex_);
  return deliver_ == nullptr;
}

Tasks::Tasks(Environment& environment) : environment_(environment) {
  const napi_env env = environment.env;
  const Napi::String name = Napi::String::New(env, "libtorch-losses:tasks");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      Deliver, &deliver_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  // Only tasks keep the process alive.
  napi_unref_threadsafe_function(env, deliver_);
  mailbox_ = std::make_shared<Mailbox>(deliver_);
  // Hooks run in the reverse of their order: this one before the function goes.
  napi_add_env_cleanup_hook(env, CleanUp, this);
}

Tasks::~Tasks() {
  if (mailbox_->is_closed()) return;
  mailbox_->Close();
  napi_remove_env_cleanup_hook(environment_.env, CleanUp, this);
}

void Tasks::CleanUp(void* data) {
  auto& tasks = *static_cast<Tasks*>(data);
  tasks.mailbox_->Close();
  for (const auto& [owner, end] : std::exchange(tasks.ends_, {})) end();
}

Tasks& Tasks::Of(napi_env env) {
  Environment& environment = Environment::Of(env);
  if (!environment.tasks) environment.tasks = std::make_unique<Tasks>(environment);
  return *environment.tasks;
}

std::shared_ptr<Task> Tasks::Start(std::string what, napi_value done,
                                   std::vector<at::Tensor> tensors,
                                   std::function<Task::Result()> body, const Runner& runner) {
  const napi_env env = environment_.env;
  if (!Napi::Value(env, done).IsFunction())
    throw Refused("done", "a function", Describe(env, done));
  if (mailbox_->is_closed()) throw BridgeError("RUNTIME", "the thread is ending");
  for (const at::Tensor& tensor : tensors) CheckUnused(environment_, tensor);
  auto task = std::make_shared<Task>(std::move(what), mailbox_);
  if (napi_create_reference(env, done, 1, &task->done_) != napi_ok) throw Napi::Error::New(env);
  Hold(task, std::move(tensors));
  if (started_++ == 0) napi_ref_threadsafe_function(env, deliver_);
  try {
    runner([task, body = std::move(body)] { task->Run(task, body); });
  } catch (...) {
    Release(*task);
    throw;
  }
  return task;
}

void Tasks::Hold(const std::shared_ptr<Task>& task, std::vector<at::Tensor> tensors) {
  task->tensors_ = std::move(tensors);
  for (const at::Tensor& tensor : task->tensors_) {
    ForEachPart(tensor, [&](const at::Tensor& part) {
      if (part.has_storage()) uses_.push_back({BytesUnder(part), task});
    });
  }
  environment_.tensors->ledger.in_tasks = uses_.size();
}

void Tasks::Release(Task& task) {
  napi_delete_reference(environment_.env, task.done_);
  if (--started_ == 0) napi_unref_threadsafe_function(environment_.env, deliver_);
  std::erase_if(uses_, [&](const Use& use) { return use.task.get() == &task; });
  task.tensors_.clear();
  environment_.tensors->ledger.in_tasks = uses_.size();
}

void Tasks::Finish(const at::Tensor& tensor) {
  ForEachPart(tensor, [&](const at::Tensor& part) {
    if (!part.has_storage()) return;
    const auto [begin, end] = BytesUnder(part);
    const auto overlaps = [begin, end](const Use& use) {
      return use.bytes.first < end && begin < use.bytes.second;
    };
    for (;;) {
      const auto use = std::find_if(uses_.begin(), uses_.end(), overlaps);
      if (use == uses_.end()) return;
      const std::shared_ptr<Task> task = use->task;
      // First: a failure is told once.
      uses_.erase(use);
      environment_.tensors->ledger.in_tasks = uses_.size();
      task->Wait();
    }
  });
}

void Tasks::Deliver(napi_env env, napi_value /*callback*/, void* context, void* data) {
  const std::shared_ptr<Task> task = std::move(static_cast<Task*>(data)->self_);
  // Without an environment there is nobody to tell any more.
  if (env == nullptr) return;
  auto& tasks = *static_cast<Tasks*>(context);
  Environment& environment = tasks.environment_;
  const Napi::HandleScope scope(env);
  napi_value done = nullptr;
  napi_get_reference_value(env, task->done_, &done);
  tasks.Release(*task);
  napi_value result = nullptr;
  if (task->failure_) {
    const KeptFailure& failure = *task->failure_;
    result = environment.Fail({failure.code, failure.message, failure.op});
  } else {
    result = Guard(environment, task->what_, [&] { return task->Value(env); });
  }
  const napi_value arguments[] = {result, Napi::Boolean::New(env, task->is_seen_)};
  napi_call_function(env, Napi::Env(env).Undefined(), done, 2, arguments, nullptr);
}

void Tasks::FreeRetired() {
  if (torch::autograd::get_current_node() == nullptr) retired_.clear();
}

void StartThread(std::function<void()> body) {
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error& error) {
    throw BridgeError("RUNTIME", std::string("no thread could be started (") + error.what() + ")");
  }
}

napi_value WrapTask(napi_env env, const std::shared_ptr<Task>& task) {
  return ToExternal(env, std::make_unique<std::shared_ptr<Task>>(task), kTaskTag);
}

void RegisterTasks(Napi::Object exports) {
  Export<WaitTask>(exports, "waitTask");
  Export<IsTaskDone>(exports, "isTaskDone");
}

}  // namespace bridge
