#include "runtime.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <array>
#include <cstring>
#include <memory>

#include "memory.h"
#include "streams.h"

namespace fake_device {

namespace {

// An event that was recorded; one that was not is null.
Position* PositionOf(void* event) { return static_cast<Position*>(event); }

struct GuardImpl final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device device) const override {
    const c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override { return {kType, CurrentDevice()}; }
  void setDevice(c10::Device device) const override { SetCurrentDevice(device.index()); }
  void uncheckedSetDevice(c10::Device device) const noexcept override {
    if (device.index() >= 0 && device.index() < kDevices) SetCurrentDevice(device.index());
  }
  c10::DeviceIndex deviceCount() const noexcept override { return kDevices; }

  c10::Stream getStream(c10::Device device) const override { return CurrentStream(Index(device)); }
  c10::Stream getDefaultStream(c10::Device device) const override {
    return DefaultStream(Index(device));
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool /*high*/ = false) const override {
    return PoolStream(Index(device));
  }
  c10::Stream getNewStream(c10::Device device, int /*priority*/ = 0) const override {
    return PoolStream(Index(device));
  }
  c10::Stream exchangeStream(c10::Stream stream) const override { return ExchangeStream(stream); }
  bool queryStream(const c10::Stream& stream) const override {
    CheckWaiting(stream.device_index());
    return Poll(Now(stream));
  }
  void synchronizeStream(const c10::Stream& stream) const override {
    Reach(Now(stream));
    CheckWaiting(stream.device_index());
  }
  void synchronizeDevice(c10::DeviceIndex index) const override {
    ReachAll(index);
    CheckWaiting(index);
  }

  void record(void** event, const c10::Stream& stream, c10::DeviceIndex /*index*/,
              c10::EventFlag /*flag*/) const override {
    CheckQueueing(stream.device_index());
    const std::unique_ptr<Position> before(PositionOf(*event));
    *event = std::make_unique<Position>(Now(stream)).release();
  }
  void block(void* event, const c10::Stream& stream) const override {
    CheckQueueing(stream.device_index());
    if (event != nullptr) EnqueueWait(stream, *PositionOf(event));
  }
  bool queryEvent(void* event) const override {
    if (event == nullptr) return true;
    CheckWaiting(PositionOf(event)->stream.device_index());
    return Poll(*PositionOf(event));
  }
  void synchronizeEvent(void* event) const override {
    if (event == nullptr) return;
    Reach(*PositionOf(event));
    CheckWaiting(PositionOf(event)->stream.device_index());
  }
  void destroyEvent(void* event, c10::DeviceIndex /*index*/) const noexcept override {
    const std::unique_ptr<Position> dropped(PositionOf(event));
  }

  void recordDataPtrOnStream(const c10::DataPtr& ptr, const c10::Stream& stream) const override {
    DeviceMemory().recordStream(ptr, stream);
  }

 private:
  static c10::DeviceIndex Index(c10::Device device) {
    return device.has_index() ? device.index() : CurrentDevice();
  }
};

// The random numbers are those of the CPU's generator, and a device has its own.
struct GeneratorImpl final : c10::GeneratorImpl {
  explicit GeneratorImpl(c10::DeviceIndex index)
      : c10::GeneratorImpl(c10::Device(kType, index), c10::DispatchKeySet(c10::DispatchKey::CUDA)) {
  }

  void set_current_seed(uint64_t seed) override { cpu.set_current_seed(seed); }
  void set_offset(uint64_t offset) override { cpu.set_offset(offset); }
  uint64_t get_offset() const override { return cpu.get_offset(); }
  uint64_t current_seed() const override { return cpu.current_seed(); }
  uint64_t seed() override { return cpu.seed(); }
  void set_state(const c10::TensorImpl& state) override {
    cpu.unsafeGetGeneratorImpl()->set_state(state);
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return cpu.unsafeGetGeneratorImpl()->get_state();
  }

  at::Generator cpu = at::detail::createCPUGenerator();

 private:
  GeneratorImpl* clone_impl() const override {
    auto clone = std::make_unique<GeneratorImpl>(device().index());
    clone->cpu = cpu.clone();
    return clone.release();
  }
};

const at::Generator& DefaultGenerator(c10::DeviceIndex index) {
  static const std::array<at::Generator, kDevices> generators = {
      at::make_generator<GeneratorImpl>(c10::DeviceIndex{0}),
      at::make_generator<GeneratorImpl>(c10::DeviceIndex{1})};
  const c10::DeviceIndex wanted = index == -1 ? CurrentDevice() : index;
  CheckIndex(wanted);
  return generators[static_cast<size_t>(wanted)];
}

struct Hooks final : at::CUDAHooksInterface {
  void init() const override {}
  bool hasCUDA() const override { return true; }
  int getNumGPUs() const override { return kDevices; }
  c10::DeviceIndex current_device() const override { return CurrentDevice(); }
  void deviceSynchronize(c10::DeviceIndex index) const override { ReachAll(index); }
  at::Allocator* getCUDADeviceAllocator() const override { return &DeviceMemory(); }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex /*index*/) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return kDevices; }
  c10::DeviceIndex getCurrentDevice() const override { return CurrentDevice(); }
  void setCurrentDevice(c10::DeviceIndex index) const override { SetCurrentDevice(index); }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex index) const override {
    const c10::DeviceIndex before = CurrentDevice();
    SetCurrentDevice(index);
    return before;
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex index) const override {
    return index >= 0 && index < kDevices ? exchangeDevice(index) : CurrentDevice();
  }
  bool isPinnedPtr(const void* data) const override { return IsPinned(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &PinnedMemory(); }
  c10::Device getDeviceFromPtr(void* data) const override {
    const c10::DeviceIndex index = DeviceOfAddress(data);
    TORCH_CHECK(index >= 0, "the address is in no device's memory");
    return {kType, index};
  }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex index) const override {
    return DefaultGenerator(index);
  }
  at::Generator getNewGenerator(c10::DeviceIndex index) const override {
    return at::make_generator<GeneratorImpl>(index == -1 ? CurrentDevice() : index);
  }
};

}  // namespace

void RegisterRuntime() {
  // Never destroyed: libtorch keeps the addresses.
  static const auto& guard = *std::make_unique<GuardImpl>().release();
  // What libtorch's CUDA half does when it is loaded, before anybody asks for CUDA.
  at::CUDAHooksRegistry()->Register("CUDAHooks",
                                    [](at::CUDAHooksArgs) { return std::make_unique<Hooks>(); });
  c10::SetAllocator(kType, &DeviceMemory());
  const c10::impl::DeviceGuardImplRegistrar registrar(kType, &guard);
}

void ResizeStorage(const c10::Storage& storage, size_t bytes) {
  const c10::DeviceIndex index = storage.device().index();
  const c10::DeviceIndex before = CurrentDevice();
  SetCurrentDevice(index);
  Launch(index);
  c10::DataPtr data = DeviceMemory().allocate(bytes);
  SetCurrentDevice(before);
  const size_t kept = std::min(bytes, storage.nbytes());
  if (kept > 0) std::memcpy(data.get(), storage.data(), kept);
  c10::StorageImpl* impl = storage.unsafeGetStorageImpl();
  impl->set_data_ptr_noswap(std::move(data));
  impl->set_nbytes(bytes);
}

at::Generator CpuGeneratorOf(c10::DeviceIndex index) {
  return CpuGeneratorOf(DefaultGenerator(index));
}

at::Generator CpuGeneratorOf(const at::Generator& generator) {
  if (generator.device().type() != kType) return generator;
  return static_cast<GeneratorImpl*>(generator.unsafeGetGeneratorImpl())->cpu;
}

}  // namespace fake_device
