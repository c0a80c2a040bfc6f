// A caching allocator for tensors on the CPU.
//
// Fresh pages cost more than the arithmetic of a large loss, and freeing small blocks between the
// long-lived wrappers of tensors fragments the C library's heap. So freed blocks are kept, by size
// class: small ones by the thread that freed them, large ones for the process, up to a bound. The
// bytes that kernels see do not depend on it.
//
// LIBTORCH_LOSSES_CPU_CACHE in the environment sets the bound in megabytes before libtorch is
// loaded; 0 turns the allocator off.
#pragma once

#include <cstdint>

namespace bridge {

struct AllocatorFigures {
  // Bytes of blocks that tensors use, and of those kept for later.
  int64_t used;
  int64_t cached;
};

// Makes the allocator libtorch's, once a process, unless the environment says no.
void InstallCachingAllocator();

AllocatorFigures ReadAllocatorFigures();

// Gives back the process's cached blocks and those of the calling thread.
void EmptyCpuCache();

}  // namespace bridge
