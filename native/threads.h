// How many threads libtorch uses for what.
#pragma once

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

}  // namespace bridge
