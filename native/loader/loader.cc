// The loader addon: opens libtorch before the main addon, so that the main addon needs no path to
// it.
//
// It must run where no libtorch is, hence no libtorch header and no link to it. What it opens with
// RTLD_GLOBAL stays mapped for the life of the process; the main addon's NEEDED names then resolve
// to what is mapped.

#define NAPI_VERSION 9
#include <node_api.h>

#include <cstdint>
#include <mutex>
#include <string>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace {

#ifdef _WIN32

using Library = HMODULE;

std::string LastError() {
  const DWORD code = GetLastError();
  char text[512];
  const DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                                      nullptr, code, 0, text, sizeof(text), nullptr);
  return length == 0 ? "error " + std::to_string(code) : std::string(text, length);
}

Library Open(const std::string& path) {
  // The library's own folder is searched for what it needs.
  return LoadLibraryExA(path.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
}

void* Find(Library library, const char* symbol) {
  return reinterpret_cast<void*>(GetProcAddress(library, symbol));
}

#else

using Library = void*;

std::string LastError() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

Library Open(const std::string& path) {
  // The linker has a lock of its own, which ThreadSanitizer does not see.
  static std::mutex opening;
  const std::lock_guard lock(opening);
  return dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
}

void* Find(Library library, const char* symbol) { return dlsym(library, symbol); }

#endif

napi_value Throw(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

bool ReadPath(napi_env env, napi_callback_info info, std::string* path) {
  size_t argc = 1;
  napi_value argument = nullptr;
  size_t length = 0;
  if (napi_get_cb_info(env, info, &argc, &argument, nullptr, nullptr) != napi_ok ||
      napi_get_value_string_utf8(env, argument, nullptr, 0, &length) != napi_ok) {
    return false;
  }
  path->resize(length);
  return napi_get_value_string_utf8(env, argument, path->data(), length + 1, &length) == napi_ok;
}

// open(path: string): string | undefined
// Opens a library for the whole process. Returns libtorch's version ("2.13.0") if the library, or
// what it depends on, exports it; throws the dynamic linker's own message if it cannot be opened.
napi_value OpenLibrary(napi_env env, napi_callback_info info) {
  std::string path;
  if (!ReadPath(env, info, &path)) return Throw(env, "open: expected 'path' to be a string");
  Library library = Open(path);
  if (library == nullptr) return Throw(env, LastError());

  // A C function of libtorch's stable ABI: safe to call whatever the version is.
  using AbiVersion = uint64_t (*)();
  auto abi_version = reinterpret_cast<AbiVersion>(Find(library, "aoti_torch_abi_version"));
  napi_value result = nullptr;
  if (abi_version == nullptr) {
    napi_get_undefined(env, &result);
    return result;
  }
  const uint64_t packed = abi_version();
  const std::string version = std::to_string(packed >> 56) + "." +
                              std::to_string((packed >> 48) & 0xff) + "." +
                              std::to_string((packed >> 40) & 0xff);
  napi_create_string_utf8(env, version.c_str(), version.size(), &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value open = nullptr;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, OpenLibrary, nullptr, &open) != napi_ok ||
      napi_set_named_property(env, exports, "open", open) != napi_ok) {
    return nullptr;
  }
  return exports;
}
