// Objects of ours that user code holds: Externals with a type tag, so that a handle of another
// addon, or any other value, is an error instead of corrupted memory.
#pragma once

#include <memory>

#include "napi_setup.h"

namespace bridge {

// The object behind a value; null if the value is none of ours.
template <typename T>
T* FromExternal(napi_env env, napi_value value, const napi_type_tag& tag) {
  napi_valuetype type = napi_undefined;
  bool ours = false;
  void* data = nullptr;
  // The type first: asked for the tag of what is not an object, Node throws.
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
      napi_check_object_type_tag(env, value, &tag, &ours) != napi_ok || !ours ||
      napi_get_value_external(env, value, &data) != napi_ok) {
    return nullptr;
  }
  return static_cast<T*>(data);
}

template <typename T>
void DeleteExternal(node_api_basic_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<T> owned(static_cast<T*>(data));
}

// An External that owns the object. `finalize` deletes it, inside the garbage collection, where it
// may only free memory and adjust the external-memory figure.
template <typename T>
napi_value ToExternal(napi_env env, std::unique_ptr<T> owned, const napi_type_tag& tag,
                      node_api_basic_finalize finalize = DeleteExternal<T>) {
  napi_value external = nullptr;
  if (napi_create_external(env, owned.get(), finalize, nullptr, &external) != napi_ok) {
    finalize(env, owned.release(), nullptr);
    throw Napi::Error::New(env);
  }
  // From here on the finalizer owns it.
  owned.release();
  if (napi_type_tag_object(env, external, &tag) != napi_ok) throw Napi::Error::New(env);
  return external;
}

}  // namespace bridge
