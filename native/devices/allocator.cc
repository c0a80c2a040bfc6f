#include "devices/allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif

namespace bridge {

namespace {

// Tensors are aligned as libtorch's own allocator aligns them; the header takes one such unit
// before the data.
constexpr size_t kAlignment = 64;
// Blocks up to this size are cached by thread, without a lock.
constexpr size_t kSmallLimit = size_t{64} << 10;
constexpr size_t kThreadCacheLimit = size_t{1} << 20;
constexpr size_t kDefaultCacheLimit = size_t{1} << 30;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeLimit = 2 * kHugePage;
// Sizes are rounded up to one of eight steps between two powers of two: at most an eighth is
// wasted.
constexpr size_t kStepsLog2 = 3;
constexpr size_t kClasses = (64 - 6) << kStepsLog2;

struct Header {
  // Of the block with its header.
  size_t size;
  size_t size_class;
  // The next block of a free list; only while the block is free.
  Header* next;
};
static_assert(sizeof(Header) <= kAlignment);

struct SizeClass {
  size_t size;
  size_t index;
};

SizeClass ClassOf(size_t bytes) {
  const size_t units = (bytes + kAlignment - 1) / kAlignment;
  const auto log2 = static_cast<size_t>(std::bit_width(units)) - 1;
  if (log2 <= kStepsLog2) return {units * kAlignment, units};
  const size_t shift = log2 - kStepsLog2;
  const size_t steps = ((units - 1) >> shift) + 1;
  return {(steps << shift) * kAlignment, (shift << kStepsLog2) + steps};
}

void* DataOf(Header* header) { return reinterpret_cast<char*>(header) + kAlignment; }

Header* HeaderOf(void* data) {
  return reinterpret_cast<Header*>(static_cast<char*>(data) - kAlignment);
}

class FreeLists {
 public:
  Header* Take(size_t index) {
    Header* block = heads_[index];
    if (block == nullptr) return nullptr;
    heads_[index] = block->next;
    bytes_ -= block->size;
    return block;
  }

  void Put(Header* block) {
    block->next = heads_[block->size_class];
    heads_[block->size_class] = block;
    bytes_ += block->size;
  }

  // Frees blocks, the largest first, until at most `limit` bytes are left; gives how many went.
  size_t Shrink(size_t limit) {
    const size_t before = bytes_;
    for (size_t index = kClasses; index-- > 0 && bytes_ > limit;) {
      while (bytes_ > limit) {
        Header* block = Take(index);
        if (block == nullptr) break;
        c10::free_cpu(block);
      }
    }
    return before - bytes_;
  }

  size_t bytes() const { return bytes_; }

 private:
  std::array<Header*, kClasses> heads_{};
  size_t bytes_ = 0;
};

size_t PhysicalMemory() {
#ifdef _WIN32
  return kDefaultCacheLimit * 8;
#else
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || page <= 0) return kDefaultCacheLimit * 8;
  return static_cast<size_t>(pages) * static_cast<size_t>(page);
#endif
}

// What is set in the environment, in bytes; an eighth of the memory, at most a gigabyte, where
// nothing is.
size_t CacheLimit() {
  const char* text = std::getenv("LIBTORCH_LOSSES_CPU_CACHE");
  if (text != nullptr && *text != '\0') {
    char* end = nullptr;
    const unsigned long long megabytes = std::strtoull(text, &end, 10);
    if (*end == '\0' && megabytes <= (1ULL << 40)) return static_cast<size_t>(megabytes) << 20;
  }
  return std::min(kDefaultCacheLimit, PhysicalMemory() / 8);
}

// Asks for huge pages: the first touch of fresh memory then costs a fraction of the page faults.
// Only a hint, and only where the system leaves the choice to programs.
void AdviseHugePages([[maybe_unused]] void* memory, [[maybe_unused]] size_t size) {
#ifdef __linux__
  if (size < kHugeLimit) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t last = (begin + size) / kHugePage * kHugePage;
  madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

class CachingAllocator final : public c10::Allocator {
 public:
  explicit CachingAllocator(size_t limit) : limit_(limit) {}

  c10::DataPtr allocate(size_t bytes) override;
  c10::DeleterFnPtr raw_deleter() const override;
  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }

  void Free(void* data);
  void EmptyCache();
  AllocatorFigures figures() const { return {used_.load(), cached_.load()}; }

  // The blocks of a thread that ends.
  void Adopt(FreeLists& blocks) { cached_ -= static_cast<int64_t>(blocks.Shrink(0)); }

 private:
  Header* Take(const SizeClass& wanted);
  Header* New(const SizeClass& wanted);

  const size_t limit_;
  std::atomic<int64_t> used_ = 0;
  std::atomic<int64_t> cached_ = 0;
  std::mutex mutex_;
  FreeLists large_;
};

// Never destroyed: tensors may be freed while the process ends.
CachingAllocator* installed = nullptr;

// Free small blocks of one thread. Tensors that are freed after it is gone go to the C library.
struct ThreadCache {
  FreeLists blocks;

  ~ThreadCache();
};

enum class ThreadState : char { kFresh, kAlive, kGone };
// Has no destructor, so that it can be read at any time of a thread's life.
thread_local ThreadState thread_state = ThreadState::kFresh;

ThreadCache::~ThreadCache() {
  thread_state = ThreadState::kGone;
  installed->Adopt(blocks);
}

FreeLists* ThreadBlocks() {
  if (thread_state == ThreadState::kGone) return nullptr;
  thread_local ThreadCache cache;
  thread_state = ThreadState::kAlive;
  return &cache.blocks;
}

void Delete(void* data) { installed->Free(data); }

c10::DataPtr CachingAllocator::allocate(size_t bytes) {
  const c10::Device cpu(c10::DeviceType::CPU);
  if (bytes == 0) return {nullptr, nullptr, &Delete, cpu};
  // A size that nothing can hold is refused in libtorch's own words.
  if (bytes > (size_t{1} << 62)) return {c10::alloc_cpu(bytes), cpu};
  const SizeClass wanted = ClassOf(bytes + kAlignment);
  Header* block = Take(wanted);
  if (block == nullptr) {
    block = New(wanted);
  } else {
    cached_ -= static_cast<int64_t>(block->size);
  }
  used_ += static_cast<int64_t>(block->size);
  void* data = DataOf(block);
  return {data, data, &Delete, cpu};
}

c10::DeleterFnPtr CachingAllocator::raw_deleter() const { return &Delete; }

Header* CachingAllocator::Take(const SizeClass& wanted) {
  if (wanted.size <= kSmallLimit) {
    FreeLists* blocks = ThreadBlocks();
    return blocks == nullptr ? nullptr : blocks->Take(wanted.index);
  }
  const std::lock_guard lock(mutex_);
  return large_.Take(wanted.index);
}

Header* CachingAllocator::New(const SizeClass& wanted) {
  void* memory = nullptr;
  try {
    memory = c10::alloc_cpu(wanted.size);
  } catch (const c10::Error&) {
    // What is cached may be what is missing; the second refusal is libtorch's.
    EmptyCache();
    memory = c10::alloc_cpu(wanted.size);
  }
  AdviseHugePages(memory, wanted.size);
  return new (memory) Header{wanted.size, wanted.index, nullptr};
}

void CachingAllocator::Free(void* data) {
  if (data == nullptr) return;
  Header* block = HeaderOf(data);
  const size_t size = block->size;
  used_ -= static_cast<int64_t>(size);
  if (size <= kSmallLimit) {
    FreeLists* blocks = ThreadBlocks();
    if (blocks == nullptr || blocks->bytes() + size > kThreadCacheLimit) {
      c10::free_cpu(block);
      return;
    }
    blocks->Put(block);
    cached_ += static_cast<int64_t>(size);
    return;
  }
  if (size > limit_) {
    c10::free_cpu(block);
    return;
  }
  const std::lock_guard lock(mutex_);
  cached_ -= static_cast<int64_t>(large_.Shrink(limit_ - size));
  large_.Put(block);
  cached_ += static_cast<int64_t>(size);
}

void CachingAllocator::EmptyCache() {
  if (FreeLists* blocks = ThreadBlocks()) cached_ -= static_cast<int64_t>(blocks->Shrink(0));
  const std::lock_guard lock(mutex_);
  cached_ -= static_cast<int64_t>(large_.Shrink(0));
}

}  // namespace

void InstallCachingAllocator() {
  static std::once_flag once;
  std::call_once(once, [] {
    const size_t limit = CacheLimit();
    if (limit == 0) return;
    installed = std::make_unique<CachingAllocator>(limit).release();
    c10::SetCPUAllocator(installed, /*priority=*/1);
  });
}

AllocatorFigures ReadAllocatorFigures() {
  return installed == nullptr ? AllocatorFigures{0, 0} : installed->figures();
}

void EmptyCpuCache() {
  if (installed != nullptr) installed->EmptyCache();
}

}  // namespace bridge
