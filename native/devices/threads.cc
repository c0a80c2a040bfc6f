#include "devices/threads.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>

#ifndef _WIN32
#include <dlfcn.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace bridge {

namespace {

// OpenMP's own functions, of the library that libtorch has loaded; all of them or none.
struct OpenMp {
  int (*max_threads)() = nullptr;
  void (*set_threads)(int) = nullptr;
  int (*team)() = nullptr;
  int (*thread)() = nullptr;
  // Runs fn(data) on that many threads or fewer. GCC's name for it, which LLVM's library has too.
  void (*parallel)(void (*fn)(void*), void* data, unsigned threads, unsigned flags) = nullptr;

  OpenMp() {
    const bool all = Find(max_threads, "omp_get_max_threads") &&
                     Find(set_threads, "omp_set_num_threads") &&
                     Find(team, "omp_get_num_threads") && Find(thread, "omp_get_thread_num") &&
                     Find(parallel, "GOMP_parallel");
    if (!all) max_threads = nullptr;
  }

  bool is_there() const { return max_threads != nullptr; }

 private:
  template <typename Function>
  static bool Find(Function& function, const char* name) {
#ifdef _WIN32
    return false;
#else
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    return function != nullptr;
#endif
  }
};

const OpenMp& GetOpenMp() {
  static const OpenMp functions;
  return functions;
}

// ThreadSanitizer does not see OpenMP form a team, nor wait for it. These tell it: what comes
// before Publish() on one thread has happened for whoever calls Receive() after it.
void Publish([[maybe_unused]] void* at) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(at);
#endif
}

void Receive([[maybe_unused]] void* at) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(at);
#endif
}

struct Region {
  int64_t size;
  const std::function<void(int64_t, int64_t)>& fn;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr error = nullptr;
};

// Invariant: the shares of a team cover [0, size). So they come from the team that OpenMP has
// formed, which may be smaller than the one that was asked for (OMP_THREAD_LIMIT, OMP_DYNAMIC, a
// thread that did not start). test/lifecycle/thread-teams.test.ts runs with such teams.
void RunShare(void* data) {
  Receive(data);
  Region& region = *static_cast<Region*>(data);
  const int64_t share = at::divup(region.size, static_cast<int64_t>(GetOpenMp().team()));
  const int64_t begin = GetOpenMp().thread() * share;
  try {
    if (begin < region.size) region.fn(begin, std::min(region.size, begin + share));
  } catch (...) {
    if (!region.failed.test_and_set()) region.error = std::current_exception();
  }
  Publish(data);
}

}  // namespace

OneThread::OneThread(bool wanted) {
  if (!wanted || !GetOpenMp().is_there()) return;
  before_ = GetOpenMp().max_threads();
  // libtorch's own set_num_threads is for the whole process and for MKL too, and takes its time.
  if (before_ > 1) GetOpenMp().set_threads(1);
}

OneThread::~OneThread() {
  if (before_ > 1) GetOpenMp().set_threads(before_);
}

void ParallelFor(int64_t size, int64_t grain, const std::function<void(int64_t, int64_t)>& fn) {
  if (size == 0) return;
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), at::divup(size, grain));
  if (threads <= 1 || at::in_parallel_region() || !GetOpenMp().is_there()) {
    fn(0, size);
    return;
  }
  Region region{size, fn};
  Publish(&region);
  GetOpenMp().parallel(RunShare, &region, static_cast<unsigned>(threads), 0);
  Receive(&region);
  if (region.error) std::rethrow_exception(region.error);
}

}  // namespace bridge
