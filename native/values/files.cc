#include "values/files.h"

#ifndef _WIN32
#include <ATen/ops/from_blob.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "devices/threads.h"
#include "guard.h"
#include "values/tensor_handle.h"
#endif

namespace bridge {

#ifdef _WIN32

void RegisterFiles(Napi::Object /*exports*/) {}

#else

namespace {

// Fills memory from a place of a file. How many bytes came: fewer only at the end of the file, or
// with what the system said in `error`.
size_t ReadAt(int descriptor, char* to, size_t size, int64_t offset, int& error) {
  size_t done = 0;
  while (done < size) {
    const auto place = static_cast<off_t>(offset + static_cast<int64_t>(done));
    const ssize_t got = pread(descriptor, to + done, size - done, place);
    if (got > 0) {
      done += static_cast<size_t>(got);
    } else if (got == 0) {
      return done;
    } else if (errno != EINTR) {
      error = errno;
      return done;
    }
  }
  return done;
}

// Chunks of a file that begin `stride` bytes apart, one after the other in memory.
struct Part {
  char* to;
  int64_t size;
  int64_t offset;
  int64_t chunk;
  int64_t stride;

  int64_t chunks() const { return size == 0 ? 0 : (size - 1) / chunk + 1; }
  size_t size_of(int64_t i) const { return static_cast<size_t>(std::min(chunk, size - i * chunk)); }
};

// Below this distance it is faster to read what lies between the chunks, too.
constexpr int64_t kNear = 8192;
constexpr int64_t kPiece = 1 << 20;

// Reads the chunks [begin, end), each for itself.
size_t ReadApart(int descriptor, const Part& part, int64_t begin, int64_t end, int& error) {
  size_t total = 0;
  for (int64_t i = begin; i < end && error == 0; i++) {
    total += ReadAt(descriptor, part.to + i * part.chunk, part.size_of(i),
                    part.offset + i * part.stride, error);
  }
  return total;
}

// Reads the chunks [begin, end) in spans of the file that hold many of them.
size_t ReadTogether(int descriptor, const Part& part, int64_t begin, int64_t end, int& error) {
  const int64_t together = std::max<int64_t>(1, kPiece / part.stride);
  std::vector<char> buffer(static_cast<size_t>((together - 1) * part.stride + part.chunk));
  size_t total = 0;
  for (int64_t first = begin; first < end && error == 0; first += together) {
    const int64_t last = std::min(end, first + together) - 1;
    const size_t span = static_cast<size_t>((last - first) * part.stride) + part.size_of(last);
    const size_t got =
        ReadAt(descriptor, buffer.data(), span, part.offset + first * part.stride, error);
    for (int64_t i = first; i <= last; i++) {
      const auto at = static_cast<size_t>((i - first) * part.stride);
      if (at >= got) break;
      const size_t there = std::min(part.size_of(i), got - at);
      std::memcpy(part.to + i * part.chunk, buffer.data() + at, there);
      total += there;
    }
  }
  return total;
}

int64_t ReadInteger(const Napi::CallbackInfo& info, size_t at, const char* name, int64_t least) {
  int64_t value = -1;
  if (napi_get_value_int64(info.Env(), info[at], &value) != napi_ok || value < least) {
    throw Refused(name, "an integer >= " + std::to_string(least), Describe(info.Env(), info[at]));
  }
  return value;
}

// readFile(bytes, descriptor, offset, chunk, stride): fills a tensor of bytes with chunks of a file
// that begin `stride` bytes apart; the last one may be shorter. On libtorch's threads: what they
// compute with next is then in their caches. How many bytes came, or the system's error, negative
Napi::Value ReadFile(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto descriptor = static_cast<int>(ReadInteger(info, 1, "descriptor", 0));
  const int64_t offset = ReadInteger(info, 2, "offset", 0);
  const int64_t chunk = ReadInteger(info, 3, "chunk", 1);
  const int64_t stride = ReadInteger(info, 4, "stride", chunk);
  const at::Tensor bytes = UnwrapTensor(env, info[0], "bytes");
  if (!bytes.is_cpu() || bytes.scalar_type() != at::kByte || !bytes.is_contiguous()) {
    throw Refused("bytes", "a contiguous tensor of uint8 on the CPU", "another one");
  }
  const Part part{static_cast<char*>(bytes.mutable_data_ptr()), bytes.numel(), offset, chunk,
                  stride};
  const auto read = stride > chunk && stride < kNear ? ReadTogether : ReadApart;
  std::atomic<int64_t> total = 0;
  std::atomic<int> error = 0;
  ParallelFor(part.chunks(), std::max<int64_t>(1, kPiece / chunk), [&](int64_t begin, int64_t end) {
    int failed = 0;
    total += static_cast<int64_t>(read(descriptor, part, begin, end, failed));
    if (failed != 0) error = failed;
  });
  const int failed = error;
  return Napi::Number::New(env, static_cast<double>(failed != 0 ? -failed : total.load()));
}

// Memory that shows a file. What is read of it behind the file's end, when another program has cut
// the file off, and what the disk fails to give, would end the process by SIGBUS. Instead, zeros
// take the place of the rest of the memory, and are counted. The signal's handler runs on the
// thread that has read; it does no more than look at these slots and map memory.
struct Mapping {
  std::atomic<uintptr_t> begin = 0;
  std::atomic<uintptr_t> end = 0;
};

std::array<Mapping, 64> mappings;
std::mutex mappings_mutex;
std::atomic<int64_t> lost_mappings = 0;
struct sigaction before_us;
uintptr_t page_size = 4096;

bool PutZeros(uintptr_t address) {
  for (Mapping& mapping : mappings) {
    const uintptr_t end = mapping.end;
    if (address < mapping.begin || address >= end) continue;
    const uintptr_t first = address & ~(page_size - 1);
    void* const zeros = mmap(reinterpret_cast<void*>(first), end - first, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) return false;
    lost_mappings++;
    return true;
  }
  return false;
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  // Codes above 0 are the kernel's: it says at which address.
  const bool done = info->si_code > 0 && PutZeros(reinterpret_cast<uintptr_t>(info->si_addr));
  errno = error;
  if (done) return;
  // Not ours: whoever was there before decides, by default the end of the process.
  if ((before_us.sa_flags & SA_SIGINFO) != 0) {
    before_us.sa_sigaction(signal, info, context);
  } else if (before_us.sa_handler != SIG_DFL && before_us.sa_handler != SIG_IGN) {
    before_us.sa_handler(signal);
  } else {
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    raise(signal);
  }
}

// Once for the process, at the first file that is mapped; whether the signal is ours.
bool CatchBusErrors() {
  static const bool caught = [] {
    page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction ours = {};
    ours.sa_sigaction = OnBusError;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    return sigaction(SIGBUS, nullptr, &before_us) == 0 && sigaction(SIGBUS, &ours, nullptr) == 0;
  }();
  return caught;
}

// The deleter of mapped storage. Runs on any thread.
void Unmap(void* context) {
  auto& mapping = *static_cast<Mapping*>(context);
  const std::lock_guard<std::mutex> lock(mappings_mutex);
  const uintptr_t begin = mapping.begin;
  const uintptr_t size = mapping.end - begin;
  mapping.end = 0;
  mapping.begin = 0;
  munmap(reinterpret_cast<void*>(begin), size);
}

// A slot for memory; none if all are taken.
Mapping* TakeSlot(void* memory, size_t size) {
  for (Mapping& mapping : mappings) {
    if (mapping.end != 0) continue;
    mapping.begin = reinterpret_cast<uintptr_t>(memory);
    mapping.end = reinterpret_cast<uintptr_t>(memory) + size;
    return &mapping;
  }
  return nullptr;
}

// mapFile(descriptor, size): memory that shows a file's bytes, private to this process, as a tensor
// of none of them: the garbage collector shall not take the file for memory in use. Undefined where
// the system refuses
Napi::Value MapFile(const Napi::CallbackInfo& info) {
  const auto descriptor = static_cast<int>(ReadInteger(info, 0, "descriptor", 0));
  const auto size = static_cast<size_t>(ReadInteger(info, 1, "size", 1));
  if (!CatchBusErrors()) return info.Env().Undefined();
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) return info.Env().Undefined();
  Mapping* slot = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mappings_mutex);
    slot = TakeSlot(memory, size);
  }
  if (slot == nullptr) {
    munmap(memory, size);
    return info.Env().Undefined();
  }
  const at::Tensor whole = at::for_blob(memory, {static_cast<int64_t>(size)})
                               .context(slot, &Unmap)
                               .options(at::TensorOptions(at::kByte))
                               .make_tensor();
  return {info.Env(), WrapTensor(info.Env(), whole.narrow(0, 0, 0))};
}

// partOf(whole, offset, size): bytes of the memory under a tensor as a tensor whose memory they
// are, and which keeps the rest alive
Napi::Value PartOf(const Napi::CallbackInfo& info) {
  const at::Tensor& whole = UnwrapTensor(info.Env(), info[0], "whole");
  const int64_t offset = ReadInteger(info, 1, "offset", 0);
  const int64_t size = ReadInteger(info, 2, "size", 1);
  const auto available = static_cast<int64_t>(whole.storage().nbytes());
  if (!whole.is_cpu() || offset > available || size > available - offset) {
    throw Refused("size", "within the memory of a tensor on the CPU", std::to_string(size));
  }
  char* const begin = static_cast<char*>(whole.storage().mutable_data()) + offset;
  const at::Tensor part = at::for_blob(begin, {size})
                              .deleter([kept = whole.storage()](void*) {})
                              .options(at::TensorOptions(at::kByte))
                              .make_tensor();
  return {info.Env(), WrapTensor(info.Env(), part)};
}

// lostMappings(): how often, in this process, zeros have taken the place of a part of a file
Napi::Value LostMappings(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(lost_mappings.load()));
}

}  // namespace

void RegisterFiles(Napi::Object exports) {
  Export<ReadFile>(exports, "readFile");
  Export<MapFile>(exports, "mapFile");
  Export<PartOf>(exports, "partOf");
  Export<LostMappings>(exports, "lostMappings");
}

#endif

}  // namespace bridge
