// Devices beside the CPU, through libtorch's device-generic interfaces: no header of CUDA.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string_view>

#include "napi_setup.h"

namespace bridge {

class Environment;

// The device that user code names, with an index: the current one if it gives none.
c10::Device ReadAccelerator(napi_env env, napi_value value, const char* argument);

// Whether libtorch's message says that a device has failed for good: whatever this process asks of
// it from then on fails too.
bool SaysDeviceIsLost(std::string_view message);

// Notes that one has. Any thread.
void NoteLostDevice();
bool IsDeviceLost();

// Lets go of a tensor. Giving memory back that several streams used asks its device, which ends the
// process if that has failed for good: such memory stays where it is.
void Drop(at::Tensor tensor);

// Collects at once what the environment's user code has dropped, and gives back what allocators
// keep for later.
void Reclaim(Environment& environment);

// cudaDeviceCount, currentDevice, setDevice, synchronize, seedDevice, memoryStats, …
void RegisterDevices(Napi::Object exports);

}  // namespace bridge
