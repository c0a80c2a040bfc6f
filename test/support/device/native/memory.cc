#include "memory.h"

#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "streams.h"

namespace fake_device {

namespace {

using c10::CachingAllocator::format_size;
using c10::CachingAllocator::StatArray;
using c10::CachingDeviceAllocator::DeviceStats;

// CUDA's allocator hands out multiples of this.
constexpr size_t kUnit = 512;
constexpr size_t kDefaultLimit = size_t{4} << 30;

struct FreeHost {
  void operator()(void* data) const { c10::free_cpu(data); }
};

struct Block {
  std::unique_ptr<void, FreeHost> data;
  size_t size;
  c10::Stream stream;
  // What was asked for of it.
  size_t requested = 0;
  // The other streams that use it.
  std::vector<c10::Stream> users = {};
  // What must be done before it is given to somebody else; set when it is freed.
  std::vector<Position> in_use = {};

  bool IsFree() const {
    return std::all_of(in_use.begin(), in_use.end(), [](Position use) { return IsReached(use); });
  }
};

struct DeviceBlocks {
  std::map<void*, std::unique_ptr<Block>> used;
  std::vector<std::unique_ptr<Block>> cached;
  DeviceStats stats;
  size_t limit = kDefaultLimit;
};

// Every kind of figure has the sum over all sizes first; it is the only one that is kept.
void Add(StatArray& stat, size_t amount) { stat[0].increase(amount); }
void Remove(StatArray& stat, size_t amount) { stat[0].decrease(amount); }
int64_t Current(const StatArray& stat) { return stat[0].current; }

void Free(void* data);

class Memory final : public c10::DeviceAllocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const std::lock_guard lock(Mutex());
    const c10::Device device(kType, CurrentDevice());
    if (bytes == 0) return {nullptr, nullptr, &Free, device};
    DeviceBlocks& blocks = Of(device.index());
    std::unique_ptr<Block> block = Take(bytes, device.index());
    void* data = block->data.get();
    std::memset(data, kFresh, block->size);
    block->requested = bytes;
    Add(blocks.stats.allocation, 1);
    Add(blocks.stats.allocated_bytes, block->size);
    Add(blocks.stats.active, 1);
    Add(blocks.stats.active_bytes, block->size);
    Add(blocks.stats.requested_bytes, bytes);
    blocks.used.emplace(data, std::move(block));
    return {data, data, &Free, device};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &Free; }
  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }

  bool initialized() override { return true; }

  void emptyCache(c10::MempoolId_t /*pool*/ = {0, 0}) override {
    for (c10::DeviceIndex index = 0; index < kDevices; index++) {
      Release(index);
      CheckWaiting(index);
    }
  }

  void recordStream(const c10::DataPtr& ptr, c10::Stream stream) override {
    const std::lock_guard lock(Mutex());
    DeviceBlocks& blocks = Of(stream.device_index());
    const auto found = blocks.used.find(ptr.get());
    if (found != blocks.used.end()) found->second->users.push_back(stream);
  }

  DeviceStats getDeviceStats(c10::DeviceIndex index) override {
    const std::lock_guard lock(Mutex());
    return Of(index).stats;
  }

  void resetAccumulatedStats(c10::DeviceIndex index) override {
    ForEachStat(index, [](StatArray& stat) { stat[0].reset_accumulated(); });
    const std::lock_guard lock(Mutex());
    Of(index).stats.num_alloc_retries = 0;
    Of(index).stats.num_ooms = 0;
  }

  void resetPeakStats(c10::DeviceIndex index) override {
    ForEachStat(index, [](StatArray& stat) { stat[0].reset_peak(); });
  }

  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex index) override {
    const std::lock_guard lock(Mutex());
    const DeviceBlocks& blocks = Of(index);
    const auto reserved = static_cast<size_t>(Current(blocks.stats.reserved_bytes));
    return {blocks.limit - std::min(blocks.limit, reserved), blocks.limit};
  }

  DeviceBlocks& Of(c10::DeviceIndex index) {
    CheckIndex(index);
    return devices_[static_cast<size_t>(index)];
  }

  void Return(void* data) {
    const std::lock_guard lock(Mutex());
    for (DeviceBlocks& blocks : devices_) {
      const auto found = blocks.used.find(data);
      if (found == blocks.used.end()) continue;
      std::unique_ptr<Block> block = std::move(found->second);
      blocks.used.erase(found);
      block->in_use = {Now(block->stream)};
      if (!block->users.empty()) FreeUsed(block->stream.device_index());
      for (const c10::Stream user : std::exchange(block->users, {})) {
        block->in_use.push_back(Now(user));
      }
      Remove(blocks.stats.allocation, 1);
      Remove(blocks.stats.allocated_bytes, block->size);
      Remove(blocks.stats.active, 1);
      Remove(blocks.stats.active_bytes, block->size);
      Remove(blocks.stats.requested_bytes, block->requested);
      blocks.cached.push_back(std::move(block));
    }
  }

 private:
  std::unique_ptr<Block> Take(size_t bytes, c10::DeviceIndex index) {
    DeviceBlocks& blocks = Of(index);
    const c10::Stream stream = CurrentStream(index);
    TORCH_CHECK_WITH(OutOfMemoryError, bytes <= SIZE_MAX - kUnit, Refusal(index, bytes));
    const size_t size = (bytes + kUnit - 1) / kUnit * kUnit;
    const auto fits = [&](const std::unique_ptr<Block>& block) {
      return block->size == size && block->stream == stream && block->IsFree();
    };
    const auto found = std::find_if(blocks.cached.begin(), blocks.cached.end(), fits);
    if (found != blocks.cached.end()) {
      std::unique_ptr<Block> block = std::move(*found);
      blocks.cached.erase(found);
      return block;
    }
    CheckQueueing(index);
    const auto is_full = [&] {
      const auto reserved = static_cast<size_t>(Current(blocks.stats.reserved_bytes));
      return reserved > blocks.limit || size > blocks.limit - reserved;
    };
    if (is_full()) {
      blocks.stats.num_alloc_retries++;
      Release(index);
    }
    if (is_full()) {
      blocks.stats.num_ooms++;
      TORCH_CHECK_WITH(OutOfMemoryError, false, Refusal(index, bytes));
    }
    std::unique_ptr<void, FreeHost> data(c10::alloc_cpu(size));
    Add(blocks.stats.segment, 1);
    Add(blocks.stats.reserved_bytes, size);
    return std::make_unique<Block>(Block{std::move(data), size, stream});
  }

  // Gives what is cached back to the system, which waits for the device, as cudaFree does.
  void Release(c10::DeviceIndex index) {
    const std::lock_guard lock(Mutex());
    DeviceBlocks& blocks = Of(index);
    for (c10::DeviceIndex any = 0; any < kDevices; any++) ReachAll(any);
    for (const auto& block : std::exchange(blocks.cached, {})) {
      Remove(blocks.stats.segment, 1);
      Remove(blocks.stats.reserved_bytes, block->size);
    }
  }

  std::string Refusal(c10::DeviceIndex index, size_t bytes) {
    const DeviceStats& stats = Of(index).stats;
    const auto allocated = static_cast<size_t>(Current(stats.allocated_bytes));
    const auto reserved = static_cast<size_t>(Current(stats.reserved_bytes));
    const auto [free, total] = getMemoryInfo(index);
    return c10::str("CUDA out of memory. Tried to allocate ", format_size(bytes), ". GPU ",
                    static_cast<int>(index), " has a total capacity of ", format_size(total),
                    " of which ", format_size(free),
                    " is free. Including non-PyTorch memory, this process has ",
                    format_size(reserved), " memory in use. Of the allocated memory ",
                    format_size(allocated), " is allocated by PyTorch, and ",
                    format_size(reserved - allocated), " is reserved by PyTorch but unallocated.");
  }

  template <typename Change>
  void ForEachStat(c10::DeviceIndex index, const Change& change) {
    const std::lock_guard lock(Mutex());
    DeviceStats& stats = Of(index).stats;
    for (StatArray* stat :
         {&stats.allocation, &stats.segment, &stats.active, &stats.allocated_bytes,
          &stats.reserved_bytes, &stats.active_bytes, &stats.requested_bytes}) {
      change(*stat);
    }
  }

  std::array<DeviceBlocks, kDevices> devices_;
};

// Never destroyed: tensors may be freed while the process ends.
Memory& TheMemory() {
  static auto& memory = *std::make_unique<Memory>().release();
  return memory;
}

void Free(void* data) {
  if (data != nullptr) TheMemory().Return(data);
}

void FreePinned(void* data);

class Pinned final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const c10::Device cpu(c10::DeviceType::CPU);
    if (bytes == 0) return {nullptr, nullptr, &FreePinned, cpu};
    const std::lock_guard lock(Mutex());
    const size_t size = (bytes + kUnit - 1) / kUnit * kUnit;
    const auto cached = cached_.find(size);
    std::unique_ptr<void, FreeHost> data;
    if (cached == cached_.end()) {
      data.reset(c10::alloc_cpu(size));
    } else {
      data = std::move(cached->second);
      cached_.erase(cached);
    }
    void* start = data.get();
    std::memset(start, kFresh, size);
    used_.emplace(start, Used{std::move(data), size, -1});
    return {start, start, &FreePinned, cpu};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &FreePinned; }
  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }

  bool Has(const void* data) {
    const std::lock_guard lock(Mutex());
    return Find(data) != nullptr;
  }

  void Record(const void* data, c10::DeviceIndex index) {
    const std::lock_guard lock(Mutex());
    if (Used* used = Find(data)) used->copied_by = index;
  }

  void Return(void* data) {
    const std::lock_guard lock(Mutex());
    const auto found = used_.find(data);
    if (found == used_.end()) return;
    if (found->second.copied_by >= 0) FreeUsed(found->second.copied_by);
    cached_.emplace(found->second.size, std::move(found->second.data));
    used_.erase(found);
  }

 private:
  struct Used {
    std::unique_ptr<void, FreeHost> data;
    size_t size;
    // The device of the last copy, if there was one.
    c10::DeviceIndex copied_by = -1;
  };

  // The memory that the address lies in.
  Used* Find(const void* data) {
    auto found = used_.upper_bound(data);
    if (found == used_.begin()) return nullptr;
    --found;
    const auto offset = static_cast<const char*>(data) - static_cast<const char*>(found->first);
    return offset < static_cast<ptrdiff_t>(found->second.size) ? &found->second : nullptr;
  }

  std::map<const void*, Used> used_;
  std::multimap<size_t, std::unique_ptr<void, FreeHost>> cached_;
};

Pinned& ThePinned() {
  static auto& pinned = *std::make_unique<Pinned>().release();
  return pinned;
}

void FreePinned(void* data) {
  if (data != nullptr) ThePinned().Return(data);
}

}  // namespace

c10::DeviceAllocator& DeviceMemory() { return TheMemory(); }

c10::Allocator& PinnedMemory() { return ThePinned(); }

bool IsPinned(const void* data) { return ThePinned().Has(data); }

void RecordPinned(const void* data, c10::DeviceIndex index) { ThePinned().Record(data, index); }

void SetLimit(c10::DeviceIndex index, size_t bytes) {
  const std::lock_guard lock(Mutex());
  TheMemory().Of(index).limit = bytes;
}

c10::DeviceIndex DeviceOfAddress(const void* data) {
  const std::lock_guard lock(Mutex());
  for (c10::DeviceIndex index = 0; index < kDevices; index++) {
    for (const auto& [start, block] : TheMemory().Of(index).used) {
      const auto offset = static_cast<const char*>(data) - static_cast<const char*>(start);
      if (offset >= 0 && offset < static_cast<ptrdiff_t>(block->size)) return index;
    }
  }
  return -1;
}

}  // namespace fake_device
