// The devices and their streams: what is queued, what has been done, and whether a device is lost.
//
// A stream does nothing by itself. What is queued on it is done when somebody waits for it, so that
// whoever forgets to wait meets memory that has not been written yet, every time.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace fake_device {

constexpr c10::DeviceType kType = c10::DeviceType::CUDA;
constexpr c10::DeviceIndex kDevices = 2;

// Of everything that is a device's. Taken again by queued work, hence recursive.
std::recursive_mutex& Mutex();

// Throws unless there is such a device.
void CheckIndex(c10::DeviceIndex index);

// Of the calling thread.
c10::DeviceIndex CurrentDevice();
void SetCurrentDevice(c10::DeviceIndex index);
c10::Stream CurrentStream(c10::DeviceIndex index);
c10::Stream ExchangeStream(c10::Stream stream);
c10::Stream DefaultStream(c10::DeviceIndex index);
c10::Stream PoolStream(c10::DeviceIndex index);

// A place in a stream's queue: after everything that was queued on it so far.
struct Position {
  c10::Stream stream;
  uint64_t count;
};

Position Now(c10::Stream stream);
void Enqueue(c10::Stream stream, std::function<void()> copy);
// The stream goes on only when the place has been reached.
void EnqueueWait(c10::Stream stream, Position position);
bool IsReached(Position position);
// Does what is queued before the place.
void Reach(Position position);
// Does one thing, as time passes for those who ask again and again; whether the place was reached.
bool Poll(Position position);
void ReachAll(c10::DeviceIndex index);
size_t PendingCopies(c10::DeviceIndex index);

// What a kernel or a copy does before it runs on the calling thread's stream.
void Launch(c10::DeviceIndex index);

// A kernel has met an assertion. Nobody knows before the next call that waits for the device.
void Assert(c10::DeviceIndex index);
// A call that waits: throws c10::AcceleratorError if the device is lost, from then on in every
// call.
void CheckWaiting(c10::DeviceIndex index);
// A call that only queues: throws once a call that waits has thrown.
void CheckQueueing(c10::DeviceIndex index);
void ResetLost(c10::DeviceIndex index);

// Memory is freed that several streams used. CUDA's allocators ask the device when that is over,
// and if it is lost, the process ends: destructors must not throw. Here that is counted.
void FreeUsed(c10::DeviceIndex index);
uint64_t FatalFrees(c10::DeviceIndex index);

}  // namespace fake_device
