#include "background.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "devices.h"
#include "guard.h"
#include "programs.h"
#include "recording.h"
#include "streams.h"

namespace bridge {

struct Background::Job {
  Background* owner;
  std::shared_ptr<Recording> recording;
  napi_ref done;
  // Of libtorch: it keeps a number for each thread.
  int threads = 1;
  // Those of the thread that started it.
  std::vector<c10::Stream> streams = {};
  std::vector<const c10::StorageImpl*> storages = {};
  WarningCollector warnings = {};
  size_t step = 0;
  std::optional<Failure> failure = std::nullopt;
  // Whether it runs once more, after memory ran out.
  bool is_second = false;
};

namespace {

using Job = Background::Job;

void RunJob(Job& job, const std::atomic<bool>& stop) {
  const Program& program = job.recording->program();
  Values& values = job.recording->values;
  const c10::WarningUtils::WarningHandlerGuard collect(&job.warnings);
  try {
    if (at::get_num_threads() != job.threads) at::set_num_threads(job.threads);
    const StreamsOf streams(job.streams);
    values.resize(program.places);
    program.Run(values, &job.step, &stop);
  } catch (const Stopped&) {
    job.failure = Failure{"RUNTIME", "the thread that waited for the result has ended"};
  } catch (...) {
    // Even a program without steps can fail.
    job.failure = DescribeFailure(program.steps.empty() ? "async" : program.steps[job.step].name);
  }
}

// Whatever has to be done at once comes first, the event loop above all: where there are as many
// threads as processors, it would wait for its turn. Threads that OpenMP starts from here inherit
// it.
void StandBack() {
#ifdef __linux__
  constexpr int kNiceness = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
#endif
}

// The one thread that runs jobs, in their order. Never destroyed: it may still wait for work while
// the process ends.
class Queue {
 public:
  static Queue& Get() {
    static Queue* const queue = new Queue;
    return *queue;
  }

  // Starts the thread if there is none. Throws RUNTIME if there can be none.
  void Open() {
    const std::lock_guard lock(mutex_);
    if (started_) return;
    try {
      std::thread([this] { Work(); }).detach();
    } catch (const std::system_error& error) {
      throw BridgeError("RUNTIME", std::string("no thread could be started for calls off the main "
                                               "thread (") +
                                       error.what() + ")");
    }
    started_ = true;
    // process.exit() runs no cleanup hooks, but what libtorch destroys at the end. Handlers run in
    // the reverse of their order: libtorch, which was loaded before, finds nobody at work.
    std::atexit([] { Get().End(); });
  }

  // After Open().
  void Add(std::unique_ptr<Job> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  // Afterwards nothing of the owner's waits or runs.
  void Abandon(const Background* owner) {
    std::unique_lock lock(mutex_);
    std::erase_if(jobs_, [&](const auto& job) { return job->owner == owner; });
    if (running_ == owner) stop_ = true;
    changed_.wait(lock, [&] { return running_ != owner; });
  }

  // Nothing runs any more; waits for the operator that does.
  void End() {
    std::unique_lock lock(mutex_);
    ended_ = stop_ = true;
    changed_.wait(lock, [&] { return running_ == nullptr; });
  }

 private:
  [[noreturn]] void Work() {
    StandBack();
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !jobs_.empty() && !ended_; });
      std::unique_ptr<Job> job = std::move(jobs_.front());
      jobs_.pop_front();
      Background* owner = job->owner;
      running_ = owner;
      stop_ = false;
      lock.unlock();
      RunJob(*job, stop_);
      owner->Finish(std::move(job));
      lock.lock();
      running_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> jobs_;
  const Background* running_ = nullptr;
  std::atomic<bool> stop_ = false;
  bool started_ = false;
  bool ended_ = false;
};

// start(fn, done): runs what fn() records
Napi::Value Start(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  Environment& environment = Environment::Of(env);
  if (!info[1].IsFunction()) throw Refused("done", "a function", Describe(env, info[1]));
  const auto recording =
      std::make_shared<Recording>(env, std::vector<at::Tensor>(), /*detached=*/true);
  RecordScript(environment, recording, info[0], /*below_autograd=*/false);
  if (!environment.background) environment.background = std::make_unique<Background>(environment);
  environment.background->Start(recording, info[1]);
  return info.Env().Undefined();
}

}  // namespace

Background::Background(Environment& environment) : environment_(environment) {
  const napi_env env = environment.env;
  const Napi::String name = Napi::String::New(env, "libtorch-losses");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      Deliver, &deliver_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  // Only calls that somebody waits for keep the process alive.
  napi_unref_threadsafe_function(env, deliver_);
  // Hooks run in the reverse of their order: this one before the function goes.
  napi_add_env_cleanup_hook(env, CleanUp, this);
}

Background::~Background() {
  if (abandoned_) return;
  napi_remove_env_cleanup_hook(environment_.env, CleanUp, this);
  Abandon();
}

void Background::CleanUp(void* background) { static_cast<Background*>(background)->Abandon(); }

void Background::Abandon() {
  abandoned_ = true;
  Queue::Get().Abandon(this);
}

void Background::Start(std::shared_ptr<Recording> recording, napi_value done) {
  const napi_env env = environment_.env;
  // First whatever may fail.
  Queue::Get().Open();
  auto job = std::make_unique<Job>(Job{this, std::move(recording), nullptr});
  job->threads = at::get_num_threads();
  job->streams = CurrentStreams();
  for (const at::Tensor& constant : job->recording->constants()) {
    if (constant.has_storage()) {
      job->storages.push_back(constant.storage().unsafeGetStorageImpl());
    }
  }
  if (abandoned_ || napi_create_reference(env, done, 1, &job->done) != napi_ok) {
    throw BridgeError("RUNTIME", "the thread is ending");
  }
  if (started_++ == 0) napi_ref_threadsafe_function(env, deliver_);
  storages_.insert(job->storages.begin(), job->storages.end());
  Queue::Get().Add(std::move(job));
}

void Background::Finish(std::unique_ptr<Job> job) {
  if (napi_call_threadsafe_function(deliver_, job.get(), napi_tsfn_nonblocking) == napi_ok) {
    job.release();
  }
}

bool Background::TryAgain(std::unique_ptr<Job>& job) {
  job->recording->values.clear();
  // Only this thread can collect what scripts have dropped.
  Reclaim(environment_);
  if (job->is_second || !job->recording->program().repeatable) return false;
  job->is_second = true;
  job->failure.reset();
  Queue::Get().Add(std::move(job));
  return true;
}

void Background::Deliver(napi_env env, napi_value /*callback*/, void* context, void* data) {
  std::unique_ptr<Job> job(static_cast<Job*>(data));
  // Without an environment there is nobody to tell any more.
  if (env == nullptr) return;
  auto& background = *static_cast<Background*>(context);
  Environment& environment = background.environment_;
  if (job->failure && job->failure->code == "OUT_OF_MEMORY" && !background.abandoned_ &&
      background.TryAgain(job)) {
    return;
  }
  if (--background.started_ == 0) napi_unref_threadsafe_function(env, background.deliver_);
  for (const auto* storage : job->storages) {
    background.storages_.erase(background.storages_.find(storage));
  }
  const Napi::HandleScope scope(env);
  napi_value done = nullptr;
  napi_get_reference_value(env, job->done, &done);
  napi_delete_reference(env, job->done);
  job->recording->ended = true;
  napi_value failed_step = Napi::Env(env).Undefined();
  // A hook that throws fails the call, as it does where the call runs on this thread.
  const napi_value emitted = Guard(environment, "libtorch", [&]() -> napi_value {
    environment.EmitWarnings(job->warnings);
    return failed_step;
  });
  bool failed = false;
  napi_strict_equals(env, emitted, environment.failed(), &failed);
  if (job->failure) environment.Fail(std::move(*job->failure));
  if (failed || job->failure) {
    failed_step = Napi::Number::New(env, static_cast<double>(job->step));
  }
  napi_call_function(env, Napi::Env(env).Undefined(), done, 1, &failed_step, nullptr);
  // The results have been taken; what the program held goes now, not when the last handle of an
  // intermediate result is collected.
  job->recording->values.clear();
  std::exchange(job->recording->program(), {});
}

bool IsUsed(const Environment& environment, const at::Tensor& tensor) {
  return environment.background && tensor.has_storage() &&
         environment.background->Uses(tensor.storage().unsafeGetStorageImpl());
}

void CheckUnused(const Environment& environment, const at::Tensor& tensor) {
  if (!IsUsed(environment, tensor)) return;
  throw BridgeError("IN_USE",
                    "expected a tensor that nobody uses to be changed, but received one that a "
                    "call off the main thread works on; await its promise first");
}

void RegisterBackground(Napi::Object exports) { Export<Start>(exports, "start"); }

}  // namespace bridge
