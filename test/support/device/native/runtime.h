// What libtorch asks of a device type: guard, hooks, generators.
#pragma once

#include <ATen/core/Generator.h>
#include <c10/core/Device.h>
#include <c10/core/Storage.h>

namespace fake_device {

// Makes libtorch know the devices.
void RegisterRuntime();

// Gives a storage of a device other memory, with the bytes that it had.
void ResizeStorage(const c10::Storage& storage, size_t bytes);

// The CPU generator that a device's random numbers come from.
at::Generator CpuGeneratorOf(c10::DeviceIndex index);
at::Generator CpuGeneratorOf(const at::Generator& generator);

}  // namespace fake_device
