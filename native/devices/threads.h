// How many threads libtorch uses for what.
#pragma once

#include <cstdint>
#include <functional>

namespace bridge {

// While it lives, libtorch uses no thread but the one it is called on: for work so small that
// waking another one would take longer. Only for kernels whose bits do not depend on the number of
// threads.
class OneThread {
 public:
  explicit OneThread(bool wanted);
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = 1;
};

// Runs fn(begin, end) for shares of [0, size) on libtorch's threads, which inside of it use no
// others; the shares are those of at::parallel_for. That itself is a template, which would need the
// addon to be compiled and linked with an OpenMP of its own.
void ParallelFor(int64_t size, int64_t grain, const std::function<void(int64_t, int64_t)>& fn);

}  // namespace bridge
