// The main addon: makes the environment and registers what each file exports.

#include <memory>

#include "devices/allocator.h"
#include "devices/async_copy.h"
#include "devices/devices.h"
#include "devices/staging.h"
#include "devices/streams.h"
#include "dispatch/autograd.h"
#include "dispatch/custom_function.h"
#include "dispatch/dispatch.h"
#include "dispatch/hooks.h"
#include "dispatch/overlap.h"
#include "dispatch/schemas.h"
#include "distributed/collectives.h"
#include "distributed/groups.h"
#include "distributed/reducer.h"
#include "distributed/stores.h"
#include "distributed/tasks.h"
#include "environment.h"
#include "guard.h"
#include "napi_setup.h"
#include "runtime.h"
#include "trace/background.h"
#include "trace/replay.h"
#include "values/files.h"
#include "values/objects.h"
#include "values/properties.h"
#include "values/storage.h"

#ifdef _WIN32
#define BRIDGE_EXPORT __declspec(dllexport)
#else
#define BRIDGE_EXPORT __attribute__((visibility("default")))
#endif

namespace {

void DeleteEnvironment(node_api_basic_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<bridge::Environment> environment(static_cast<bridge::Environment*>(data));
}

}  // namespace

// The experimental Node-API version, for one reason: with it, finalizers run inside the garbage
// collection instead of waiting for the event loop, so that a synchronous loop that drops tensors
// does not grow. In return they may do no more than free memory and adjust the external-memory
// figure; tensor_handle.cc holds the only finalizer of tensors.
extern "C" BRIDGE_EXPORT int32_t node_api_module_get_api_version_v1() {
  return NAPI_VERSION_EXPERIMENTAL;
}

extern "C" BRIDGE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value raw_exports) {
  auto environment = std::make_unique<bridge::Environment>(env);
  if (napi_set_instance_data(env, environment.get(), DeleteEnvironment, nullptr) != napi_ok) {
    return nullptr;
  }
  bridge::Environment& owned = *environment.release();
  return bridge::Guard(owned, "libtorch", [&]() -> napi_value {
    bridge::InstallCachingAllocator();
    owned.Open();
    const Napi::Object exports(env, raw_exports);
    bridge::RegisterRuntime(exports);
    bridge::RegisterStorage(exports);
    bridge::RegisterOverlap(exports);
    bridge::RegisterProperties(exports);
    bridge::RegisterDispatch(exports);
    bridge::RegisterObjects(exports);
    bridge::RegisterSchemas(exports);
    bridge::RegisterAutograd(exports);
    bridge::RegisterCustomFunction(exports);
    bridge::RegisterHooks(exports);
    bridge::RegisterReplay(exports);
    bridge::RegisterBackground(exports);
    bridge::RegisterDevices(exports);
    bridge::RegisterStreams(exports);
    bridge::RegisterStaging(exports);
    bridge::RegisterAsyncCopy(exports);
    bridge::RegisterFiles(exports);
    bridge::RegisterTasks(exports);
    bridge::RegisterStores(exports);
    bridge::RegisterGroups(exports);
    bridge::RegisterCollectives(exports);
    bridge::RegisterReducer(exports);
    return exports;
  });
}
