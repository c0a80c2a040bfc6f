#include "threads.h"

#ifndef _WIN32
#include <dlfcn.h>
#endif

namespace bridge {

namespace {

// OpenMP's own functions, of the library that libtorch has loaded. libtorch's set_num_threads is
// for the whole process and for MKL too, and takes its time.
struct OpenMp {
  int (*max_threads)() = nullptr;
  void (*set_threads)(int) = nullptr;

  OpenMp() {
#ifndef _WIN32
    max_threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    set_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set_threads == nullptr) max_threads = nullptr;
#endif
  }
};

const OpenMp& GetOpenMp() {
  static const OpenMp functions;
  return functions;
}

}  // namespace

OneThread::OneThread(bool wanted) {
  if (!wanted || GetOpenMp().max_threads == nullptr) return;
  before_ = GetOpenMp().max_threads();
  if (before_ > 1) GetOpenMp().set_threads(1);
}

OneThread::~OneThread() {
  if (before_ > 1) GetOpenMp().set_threads(before_);
}

}  // namespace bridge
