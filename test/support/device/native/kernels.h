// The operators that the CPU's kernels cannot stand for: new memory, copies, and reading an
// element.
#pragma once

namespace fake_device {

// Makes libtorch's dispatcher know them, and the fallback for all others.
void RegisterKernels();

}  // namespace fake_device
