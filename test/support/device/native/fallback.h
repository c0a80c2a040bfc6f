// What runs every operator that has no kernel of its own on the devices: the CPU's kernel.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/Device.h>

#include <cstdint>

namespace fake_device {

void Fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack);

// How many kernels have run on a device, copies and views not counted.
uint64_t KernelsRun(c10::DeviceIndex index);
void CountKernel(c10::DeviceIndex index);

// Whether an index out of range is an assertion on the device, as on CUDA, instead of an error.
void AssertOnBadValues(bool on);

}  // namespace fake_device
