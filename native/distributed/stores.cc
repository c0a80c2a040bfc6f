#include "distributed/stores.h"

#include <limits>
#include <memory>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "distributed/tasks.h"
#include "values/external.h"
#include "values/ivalue.h"

#ifdef __linux__
// The only data of c10d that the addon names: it opens with a libtorch without c10d, too, because
// functions are looked up when they are called.
__asm__(".weak _ZTVN4c10d9HashStoreE");
#endif

namespace bridge {

namespace {

constexpr napi_type_tag kStoreTag = {0x1c7f40b95ad823e6, 0xb6082ed1f93c574a};

using Bytes = std::vector<uint8_t>;

napi_value WrapStore(napi_env env, SharedStore store) {
  return ToExternal(env, std::make_unique<SharedStore>(std::move(store)), kStoreTag);
}

napi_value WrapReadyStore(napi_env env, StorePointer store) {
  std::promise<StorePointer> promise;
  promise.set_value(std::move(store));
  return WrapStore(env, promise.get_future().share());
}

// A store that is made when somebody asks for it, who may wait.
template <typename Make>
napi_value WrapStoreWhenAsked(napi_env env, Make make) {
  return WrapStore(env, std::async(std::launch::deferred, std::move(make)).share());
}

Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }

Task::Result Text(const Bytes& bytes) {
  return [text = std::string(bytes.begin(), bytes.end())](napi_env env) -> napi_value {
    return Napi::String::New(env, text);
  };
}

Task::Result Number(int64_t number) {
  return [number](napi_env env) -> napi_value {
    return Napi::Number::New(env, static_cast<double>(number));
  };
}

Task::Result Truth(bool truth) {
  return [truth](napi_env env) -> napi_value { return Napi::Boolean::New(env, truth); };
}

int ReadCount(napi_env env, napi_value value, const std::string& argument, int64_t low,
              int64_t high) {
  const int64_t count = ReadInt(env, value, argument);
  if (count < low || count > high) {
    throw Refused(argument,
                  "an integer in [" + std::to_string(low) + ", " + std::to_string(high) + "]",
                  std::to_string(count));
  }
  return static_cast<int>(count);
}

// connectTcpStore(what, host, port, isServer, worldSize | undefined, waits, shares, timeout, done):
// [store, task]; the store can be used at once. The result is the port
Napi::Value ConnectTcpStore(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string what = ReadString(env, info[0], "what");
  const std::string host = ReadString(env, info[1], "host");
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(ReadCount(env, info[2], "port", 0, 65535));
  options.isServer = ReadBool(env, info[3], "isServer");
  if (!info[4].IsUndefined()) {
    options.numWorkers = ReadCount(env, info[4], "worldSize", 1, std::numeric_limits<int>::max());
  }
  options.waitWorkers = ReadBool(env, info[5], "waitForWorkers");
  options.multiTenant = ReadBool(env, info[6], "multiTenant");
  options.timeout = ReadTimeout(env, info[7]);
  const auto promise = std::make_shared<std::promise<StorePointer>>();
  const auto connect = [host, options, promise]() -> Task::Result {
    try {
      auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
      const uint16_t port = store->getPort();
      promise->set_value(std::move(store));
      return Number(port);
    } catch (...) {
      promise->set_exception(std::current_exception());
      throw;
    }
  };
  const auto task = Tasks::Of(env).Start(what, info[8], {}, connect, StartThread);
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(uint32_t{0}, Napi::Value(env, WrapStore(env, promise->get_future().share())));
  result.Set(uint32_t{1}, Napi::Value(env, WrapTask(env, task)));
  return result;
}

Napi::Value NewHashStore(const Napi::CallbackInfo& info) {
  return {info.Env(), WrapReadyStore(info.Env(), c10::make_intrusive<c10d::HashStore>())};
}

// newFileStore(path, worldSize)
Napi::Value NewFileStore(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string path = ReadString(env, info[0], "path");
  const int size = ReadCount(env, info[1], "worldSize", -1, std::numeric_limits<int>::max());
  return {env, WrapStoreWhenAsked(env, [path, size] {
            return StorePointer(c10::make_intrusive<c10d::FileStore>(path, size));
          })};
}

// newPrefixStore(prefix, store)
Napi::Value NewPrefixStore(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string prefix = ReadString(env, info[0], "prefix");
  const SharedStore inner = UnwrapStore(env, info[1], "store");
  return {env, WrapStoreWhenAsked(env, [prefix, inner] {
            return StorePointer(c10::make_intrusive<c10d::PrefixStore>(prefix, inner.get()));
          })};
}

struct StoreCall {
  std::string method;
  // Keys and values, in the order of the method's arguments.
  std::vector<std::string> texts;
  double number = 0;
};

// Waiting holds the lock of a store's connection: it happens on another one.
void WaitFor(c10d::Store& store, const std::vector<std::string>& keys,
             std::chrono::milliseconds timeout) {
  store.clone()->wait(keys, timeout);
}

Task::Result Call(c10d::Store& store, const StoreCall& call) {
  const auto& [method, texts, number] = call;
  const auto text = [&](size_t i) -> const std::string& { return texts.at(i); };
  if (method == "set") {
    store.set(text(0), ToBytes(text(1)));
    return {};
  }
  if (method == "get") {
    WaitFor(store, {text(0)}, store.getTimeout());
    return Text(store.get(text(0)));
  }
  if (method == "add") return Number(store.add(text(0), static_cast<int64_t>(number)));
  if (method == "wait") {
    WaitFor(
        store, texts,
        number > 0 ? std::chrono::milliseconds(static_cast<int64_t>(number)) : store.getTimeout());
    return {};
  }
  if (method == "check") return Truth(store.check(texts));
  if (method == "deleteKey") return Truth(store.deleteKey(text(0)));
  if (method == "numKeys") return Number(store.getNumKeys());
  if (method == "compareSet") {
    return Text(store.compareSet(text(0), ToBytes(text(1)), ToBytes(text(2))));
  }
  throw BridgeError("NOT_IMPLEMENTED", "stores have no method " + method);
}

// callStore(what, store, method, texts, number, done): a task; texts are keys and values in their
// order
Napi::Value CallStore(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string what = ReadString(env, info[0], "what");
  const SharedStore store = UnwrapStore(env, info[1], "store");
  StoreCall call{ReadString(env, info[2], "method"), {}};
  for (napi_value text : ReadArray(env, info[3], "texts")) {
    call.texts.push_back(ReadString(env, text, "texts"));
  }
  call.number = ReadFloat(env, info[4], "number");
  const auto body = [store, call = std::move(call)] { return Call(*store.get(), call); };
  return {env, WrapTask(env, Tasks::Of(env).Start(what, info[5], {}, body, StartThread))};
}

}  // namespace

const SharedStore& UnwrapStore(napi_env env, napi_value value, const std::string& argument) {
  const auto* store = FromExternal<SharedStore>(env, value, kStoreTag);
  if (store == nullptr) throw Refused(argument, "a Store", Describe(env, value));
  return *store;
}

std::chrono::milliseconds ReadTimeout(napi_env env, napi_value value) {
  constexpr int64_t kMost = int64_t{1} << 31;
  const int64_t timeout = ReadInt(env, value, "timeout");
  if (timeout < 1 || timeout >= kMost) {
    throw Refused("timeout", "milliseconds in [1, 2^31)", std::to_string(timeout));
  }
  return std::chrono::milliseconds(timeout);
}

void RegisterStores(Napi::Object exports) {
  Export<ConnectTcpStore>(exports, "connectTcpStore");
  Export<NewHashStore>(exports, "newHashStore");
  Export<NewFileStore>(exports, "newFileStore");
  Export<NewPrefixStore>(exports, "newPrefixStore");
  Export<CallStore>(exports, "callStore");
}

}  // namespace bridge
