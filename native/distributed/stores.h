// Stores of keys and values, through which the processes of a group find each other.
#pragma once

#include <chrono>
#include <future>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "napi_setup.h"

namespace bridge {

using StorePointer = c10::intrusive_ptr<c10d::Store>;

// A store that may still be connecting; whoever asks for it waits for that, and is thrown what it
// failed with. Any thread.
using SharedStore = std::shared_future<StorePointer>;

// Throws INVALID_ARGUMENT for anything but a store of ours.
const SharedStore& UnwrapStore(napi_env env, napi_value value, const std::string& argument);

// Milliseconds, as a positive number that fits.
std::chrono::milliseconds ReadTimeout(napi_env env, napi_value value);

// connectTcpStore, newHashStore, newFileStore, newPrefixStore, callStore
void RegisterStores(Napi::Object exports);

}  // namespace bridge
