// The memory of the devices, and page-locked memory: host memory both.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Device.h>

#include <cstddef>

namespace fake_device {

// What memory holds that nobody has written yet.
constexpr unsigned char kFresh = 0xAB;

// Keeps what is freed for the next that asks for the same size on the same stream.
c10::DeviceAllocator& DeviceMemory();

// Of page-locked memory. Keeps what is freed, too.
c10::Allocator& PinnedMemory();
bool IsPinned(const void* data);
// A copy from or to it is queued.
void RecordPinned(const void* data, c10::DeviceIndex index);

// How much a device has; more is refused as out of memory.
void SetLimit(c10::DeviceIndex index, size_t bytes);

// The device whose memory the address lies in; -1 for none.
c10::DeviceIndex DeviceOfAddress(const void* data);

}  // namespace fake_device
