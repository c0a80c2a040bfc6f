#include "trace/background.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "devices/devices.h"
#include "devices/streams.h"
#include "guard.h"
#include "trace/replay.h"
#include "trace/tracer.h"
#include "values/storage.h"

namespace bridge {

class ProgramWork : public Work {
 public:
  ProgramWork(Background& owner, std::shared_ptr<Tracer> traced)
      : tracer(std::move(traced)), owner_(owner) {
    for (const at::Tensor& constant : tracer->constants()) {
      ForEachPart(constant, [this](const at::Tensor& part) {
        if (part.has_storage()) storages.push_back(part.storage().unsafeGetStorageImpl());
      });
    }
  }

  const std::shared_ptr<Tracer> tracer;
  // Of the tensors that it works on.
  std::vector<const c10::StorageImpl*> storages;
  napi_ref done = nullptr;
  WarningCollector warnings;
  size_t step = 0;
  std::optional<Failure> failure;
  // Whether it runs once more, after memory ran out.
  bool is_second = false;

  // What keeps it alive on its way to the JavaScript thread.
  std::shared_ptr<ProgramWork> TakeSelf() { return std::exchange(self_, nullptr); }

 protected:
  void Run(const std::atomic<bool>& stop) override {
    const Program& program = tracer->program();
    const c10::WarningUtils::WarningHandlerGuard collect(&warnings);
    try {
      if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
      const StreamsOf streams(streams_);
      tracer->values.resize(program.value_count);
      program.Run(tracer->values, &step, &stop);
    } catch (const Stopped&) {
      failure = Failure{"RUNTIME", "the thread that waited for the result has ended"};
    } catch (...) {
      // Even a program without steps can fail.
      failure = DescribeFailure(program.steps.empty() ? "async" : program.steps[step].name);
    }
  }

  void Finish(std::shared_ptr<Work> self) override {
    self_ = std::static_pointer_cast<ProgramWork>(std::move(self));
    owner_.Post(*this);
  }

 private:
  Background& owner_;
  std::shared_ptr<ProgramWork> self_;
  // libtorch keeps a number for each thread; this and the streams are those of the thread that
  // started the work.
  const int threads_ = at::get_num_threads();
  const std::vector<c10::Stream> streams_ = CurrentStreams();
};

namespace {

// start(fn, done): runs what fn() traces
Napi::Value Start(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  Environment& environment = Environment::Of(env);
  if (!info[1].IsFunction()) throw Refused("done", "a function", Describe(env, info[1]));
  const auto tracer = std::make_shared<Tracer>(env, std::vector<at::Tensor>(), /*detached=*/true);
  TraceFunction(environment, tracer, info[0], /*below_autograd=*/false);
  if (!environment.background) environment.background = std::make_unique<Background>(environment);
  environment.background->Start(tracer, info[1]);
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
  if (queue_ != nullptr) napi_remove_env_cleanup_hook(environment_.env, CleanUp, this);
}

void Background::CleanUp(void* background) { static_cast<Background*>(background)->queue_.reset(); }

std::shared_ptr<Work> Background::Start(std::shared_ptr<Tracer> tracer, napi_value done) {
  const napi_env env = environment_.env;
  if (queue_ == nullptr) throw BridgeError("RUNTIME", "the thread is ending");
  // First whatever may fail.
  queue_->Open();
  auto work = std::make_shared<ProgramWork>(*this, std::move(tracer));
  if (napi_create_reference(env, done, 1, &work->done) != napi_ok) {
    throw BridgeError("RUNTIME", "the thread is ending");
  }
  if (started_++ == 0) napi_ref_threadsafe_function(env, deliver_);
  storages_.insert(work->storages.begin(), work->storages.end());
  queue_->Add(work);
  return work;
}

void Background::Post(ProgramWork& work) {
  if (napi_call_threadsafe_function(deliver_, &work, napi_tsfn_nonblocking) != napi_ok) {
    work.TakeSelf();
  }
}

bool Background::TryAgain(const std::shared_ptr<ProgramWork>& work) {
  if (queue_ == nullptr) return false;
  work->tracer->values.clear();
  // Only this thread can collect what user code has dropped.
  Reclaim(environment_);
  if (work->is_second || !work->tracer->program().repeatable) return false;
  work->is_second = true;
  work->failure.reset();
  queue_->Add(work);
  return true;
}

void Background::Deliver(napi_env env, napi_value /*callback*/, void* context, void* data) {
  const std::shared_ptr<ProgramWork> work = static_cast<ProgramWork*>(data)->TakeSelf();
  // Without an environment there is nobody to tell any more.
  if (env == nullptr) return;
  auto& background = *static_cast<Background*>(context);
  const auto& failure = work->failure;
  if (failure && failure->code == "OUT_OF_MEMORY" && background.TryAgain(work)) return;
  background.Finish(work);
}

void Background::Finish(const std::shared_ptr<ProgramWork>& work) {
  const napi_env env = environment_.env;
  if (--started_ == 0) napi_unref_threadsafe_function(env, deliver_);
  for (const auto* storage : work->storages) storages_.erase(storages_.find(storage));
  const Napi::HandleScope scope(env);
  napi_value done = nullptr;
  napi_get_reference_value(env, work->done, &done);
  napi_delete_reference(env, work->done);
  work->tracer->ended = true;
  napi_value failed_step = Napi::Env(env).Undefined();
  // A hook that throws fails the call, as it does where the call runs on this thread.
  const napi_value emitted = Guard(environment_, "libtorch", [&]() -> napi_value {
    environment_.EmitWarnings(work->warnings);
    return failed_step;
  });
  bool failed = false;
  napi_strict_equals(env, emitted, environment_.failed(), &failed);
  if (work->failure) {
    environment_.Fail(std::move(*work->failure));
    failed = true;
  }
  if (failed) failed_step = Napi::Number::New(env, static_cast<double>(work->step));
  napi_call_function(env, Napi::Env(env).Undefined(), done, 1, &failed_step, nullptr);
  // The results have been taken; what the program held goes now, not when the last handle of an
  // intermediate result is collected.
  work->tracer->values.clear();
  std::exchange(work->tracer->program(), {});
}

bool IsUsed(const Environment& environment, const at::Tensor& tensor) {
  if (!environment.background) return false;
  bool is_used = false;
  ForEachPart(tensor, [&](const at::Tensor& part) {
    is_used |=
        part.has_storage() && environment.background->Uses(part.storage().unsafeGetStorageImpl());
  });
  return is_used;
}

void CheckUnused(const Environment& environment, const at::Tensor& tensor) {
  if (!IsUsed(environment, tensor)) return;
  throw BridgeError("IN_USE",
                    "expected a tensor that nobody uses to be changed, but received one that a "
                    "call off the main thread works on; await its promise first");
}

void RegisterBackground(Napi::Object exports) { Export<Start>(exports, "start"); }

}  // namespace bridge
