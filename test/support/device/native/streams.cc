#include "streams.h"

#include <c10/util/Exception.h>

#include <array>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace fake_device {

namespace {

// As many as CUDA's pool has.
constexpr c10::StreamId kPoolSize = 32;
// cudaErrorAssert
constexpr int32_t kAssertCode = 710;

struct Item {
  std::function<void()> run;
  bool is_copy;
};

struct Queue {
  std::deque<Item> items;
  // How many were queued, and how many of them are done.
  uint64_t queued = 0;
  uint64_t done = 0;
};

struct Device {
  std::map<c10::StreamId, Queue> queues;
  c10::StreamId last_of_pool = 0;
  bool asserted = false;
  bool lost = false;
  uint64_t fatal_frees = 0;
};

Device& DeviceOf(c10::DeviceIndex index) {
  static std::array<Device, kDevices> devices;
  CheckIndex(index);
  return devices[static_cast<size_t>(index)];
}

Queue& QueueOf(c10::Stream stream) { return DeviceOf(stream.device_index()).queues[stream.id()]; }

thread_local c10::DeviceIndex current_device = 0;
thread_local std::array<c10::StreamId, kDevices> current_streams{};

c10::Stream StreamOf(c10::DeviceIndex index, c10::StreamId id) {
  return c10::Stream(c10::Stream::UNSAFE, c10::Device(kType, index), id);
}

void RunFirst(Queue& queue) {
  const Item item = std::move(queue.items.front());
  queue.items.pop_front();
  item.run();
  queue.done++;
}

[[noreturn]] void ThrowLost() {
  const std::string message =
      "CUDA error: device-side assert triggered\n"
      "Search for `cudaErrorAssert' in "
      "https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more "
      "information.\n"
      "CUDA kernel errors might be asynchronously reported at some other API call, so the "
      "stacktrace below might be incorrect.\n"
      "For debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
      "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n";
  throw c10::AcceleratorError({__func__, __FILE__, static_cast<uint32_t>(__LINE__)}, kAssertCode,
                              message);
}

}  // namespace

std::recursive_mutex& Mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

void CheckIndex(c10::DeviceIndex index) {
  TORCH_CHECK(index >= 0 && index < kDevices,
              "invalid device ordinal: there is no cuda:", static_cast<int>(index));
}

c10::DeviceIndex CurrentDevice() { return current_device; }

void SetCurrentDevice(c10::DeviceIndex index) {
  CheckIndex(index);
  current_device = index;
}

c10::Stream CurrentStream(c10::DeviceIndex index) {
  CheckIndex(index);
  return StreamOf(index, current_streams[static_cast<size_t>(index)]);
}

c10::Stream ExchangeStream(c10::Stream stream) {
  const c10::Stream before = CurrentStream(stream.device_index());
  current_streams[static_cast<size_t>(stream.device_index())] = stream.id();
  return before;
}

c10::Stream DefaultStream(c10::DeviceIndex index) {
  CheckIndex(index);
  return StreamOf(index, 0);
}

c10::Stream PoolStream(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  Device& device = DeviceOf(index);
  device.last_of_pool = device.last_of_pool % kPoolSize + 1;
  return StreamOf(index, device.last_of_pool);
}

Position Now(c10::Stream stream) {
  const std::lock_guard lock(Mutex());
  return {stream, QueueOf(stream).queued};
}

void Enqueue(c10::Stream stream, std::function<void()> copy) {
  const std::lock_guard lock(Mutex());
  Queue& queue = QueueOf(stream);
  queue.items.push_back({std::move(copy), true});
  queue.queued++;
}

void EnqueueWait(c10::Stream stream, Position position) {
  const std::lock_guard lock(Mutex());
  Queue& queue = QueueOf(stream);
  queue.items.push_back({[position] { Reach(position); }, false});
  queue.queued++;
}

bool IsReached(Position position) {
  const std::lock_guard lock(Mutex());
  return QueueOf(position.stream).done >= position.count;
}

void Reach(Position position) {
  const std::lock_guard lock(Mutex());
  Queue& queue = QueueOf(position.stream);
  // Empty before the place is reached only while one of its own waits is being done.
  while (queue.done < position.count && !queue.items.empty()) RunFirst(queue);
}

bool Poll(Position position) {
  const std::lock_guard lock(Mutex());
  if (IsReached(position)) return true;
  RunFirst(QueueOf(position.stream));
  return false;
}

void ReachAll(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  for (auto& [id, queue] : DeviceOf(index).queues) Reach(Now(StreamOf(index, id)));
}

size_t PendingCopies(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  size_t count = 0;
  for (const auto& [id, queue] : DeviceOf(index).queues) {
    for (const Item& item : queue.items) count += item.is_copy ? 1 : 0;
  }
  return count;
}

void Launch(c10::DeviceIndex index) {
  CheckQueueing(index);
  Reach(Now(CurrentStream(index)));
}

void Assert(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  DeviceOf(index).asserted = true;
}

void CheckWaiting(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  Device& device = DeviceOf(index);
  device.lost = device.lost || device.asserted;
  if (device.lost) ThrowLost();
}

void CheckQueueing(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  if (DeviceOf(index).lost) ThrowLost();
}

void ResetLost(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  Device& device = DeviceOf(index);
  device.asserted = device.lost = false;
}

void FreeUsed(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  Device& device = DeviceOf(index);
  if (device.asserted || device.lost) device.fatal_frees++;
}

uint64_t FatalFrees(c10::DeviceIndex index) {
  const std::lock_guard lock(Mutex());
  return DeviceOf(index).fatal_frees;
}

}  // namespace fake_device
