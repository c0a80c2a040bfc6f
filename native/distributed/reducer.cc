#include "distributed/reducer.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/engine.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "distributed/groups.h"
#include "distributed/tasks.h"
#include "trace/background.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

constexpr napi_type_tag kReducerTag = {0x7e294bd80c61f3a5, 0xa94f16d37b8e05c2};

// A reducer with what its module needs beside it.
struct DataParallel : torch::CustomClassHolder {
  std::shared_ptr<Group> group;
  std::unique_ptr<c10d::Reducer> reducer;
  bool is_static = false;
  // Whether the backward pass of a static graph has been told to reduce at its end, which it is
  // once.
  bool is_delayed = false;
};

using Pointer = c10::intrusive_ptr<DataParallel>;

const Pointer& Self(const Napi::CallbackInfo& info) {
  const auto* found = FromExternal<Pointer>(info.Env(), info[0], kReducerTag);
  if (found == nullptr) throw Refused("reducer", "a Reducer", Describe(info.Env(), info[0]));
  return *found;
}

// Inside of a backward pass the pass may be the reducer's own: it goes after it.
void Finalize(node_api_basic_env env, void* data, void* /*hint*/) {
  std::unique_ptr<Pointer> owned(static_cast<Pointer*>(data));
  if (torch::autograd::get_current_node() == nullptr) return;
  const auto& tasks = Environment::Of(const_cast<napi_env>(env)).tasks;
  if (tasks) tasks->Retire(std::shared_ptr<void>(std::move(owned)));
}

// Runs what waits for other ranks on this thread; a failure names the rank.
template <typename Body>
auto Named(const std::string& op, const Group& group, const Body& body) {
  try {
    return body();
  } catch (...) {
    throw KeepFailure(NameCall(op, group.config()));
  }
}

std::vector<at::Tensor> ReadTensors(napi_env env, napi_value value, const char* argument) {
  std::vector<at::Tensor> tensors = UnwrapTensors(env, value, argument);
  for (const at::Tensor& tensor : tensors) CheckUnused(Environment::Of(env), tensor);
  return tensors;
}

// verifyParameters(group, op, parameters): throws unless every rank has parameters of the same
// shapes and strides as rank 0
Napi::Value VerifyParameters(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::shared_ptr<Group> group = UnwrapGroup(env, info[0], "group");
  const std::string op = ReadString(env, info[1], "op");
  const auto parameters = ReadTensors(env, info[2], "parameters");
  Named(op, *group, [&] { c10d::verify_params_across_processes(group->Get(), parameters, {}); });
  return info.Env().Undefined();
}

// broadcastCoalesced(group, op, tensors, bufferBytes): those of rank 0 to all, in place
Napi::Value BroadcastCoalesced(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::shared_ptr<Group> group = UnwrapGroup(env, info[0], "group");
  const std::string op = ReadString(env, info[1], "op");
  std::vector<at::Tensor> tensors = ReadTensors(env, info[2], "tensors");
  // Parameters are written to, as by Python: beside the graph.
  for (at::Tensor& tensor : tensors) tensor = tensor.detach();
  const auto bytes = static_cast<size_t>(ReadInt(env, info[3], "bufferBytes"));
  Named(op, *group, [&] { c10d::broadcast_coalesced(group->Get(), tensors, bytes, 0); });
  return info.Env().Undefined();
}

struct Config {
  std::vector<at::Tensor> parameters;
  std::unordered_map<size_t, std::string> names;
  std::vector<bool> are_sparse;
  int64_t bucket_bytes;
  int64_t first_bucket_bytes;
  bool finds_unused;
  bool uses_views;
  bool is_static;
  bool skips_unused;
};

// Libtorch's constructor has got further parameters over the versions. In a template, so that what
// is not there is not compiled.
template <typename Reducer>
std::unique_ptr<Reducer> MakeReducer(const Config& config, std::vector<std::vector<size_t>> buckets,
                                     const GroupPointer& group) {
  const auto make = [&](auto... more) {
    return std::make_unique<Reducer>(config.parameters, std::move(buckets), group,
                                     config.are_sparse, config.bucket_bytes, config.finds_unused,
                                     config.uses_views, config.names, config.first_bucket_bytes,
                                     config.skips_unused,
                                     /*use_python_reducer=*/false, std::move(more)...);
  };
  using Tensors = std::vector<at::Tensor>;
  using Buckets = std::vector<std::vector<size_t>>;
  using Bytes = std::vector<int64_t>;
  if constexpr (std::is_constructible_v<
                    Reducer, Tensors, Buckets, GroupPointer, std::vector<bool>, int64_t, bool, bool,
                    std::unordered_map<size_t, std::string>, int64_t, bool, bool, Bytes>) {
    return make(Bytes());
  } else {
    return make();
  }
}

// The buckets of the first iteration, as Python has them; later ones follow the order in which
// gradients come.
std::vector<std::vector<size_t>> FirstBuckets(const Config& config) {
  std::vector<size_t> limits;
  if (config.is_static || !config.finds_unused) {
    limits = {static_cast<size_t>(std::numeric_limits<int64_t>::max())};
  } else if (config.first_bucket_bytes < config.bucket_bytes) {
    limits = {static_cast<size_t>(config.first_bucket_bytes),
              static_cast<size_t>(config.bucket_bytes)};
  } else {
    limits = {static_cast<size_t>(config.bucket_bytes)};
  }
  auto buckets = std::get<0>(
      c10d::compute_bucket_assignment_by_size(config.parameters, limits, config.are_sparse));
  std::reverse(buckets.begin(), buckets.end());
  return buckets;
}

// newReducer(group, parameters, names, areSparse, bucketBytes, firstBucketBytes, findsUnused,
// usesViews, isStatic, skipsUnused)
Napi::Value NewReducer(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::shared_ptr<Group> group = UnwrapGroup(env, info[0], "group");
  Config config;
  config.parameters = UnwrapTensors(env, info[1], "parameters");
  const auto names = ReadArray(env, info[2], "names");
  const auto are_sparse = ReadArray(env, info[3], "areSparse");
  if (names.size() != config.parameters.size() || are_sparse.size() != names.size() ||
      names.empty()) {
    throw Refused("parameters", "as many as names", std::to_string(config.parameters.size()));
  }
  for (size_t i = 0; i < names.size(); i++) {
    config.names[i] = ReadString(env, names[i], "names");
    config.are_sparse.push_back(ReadBool(env, are_sparse[i], "areSparse"));
  }
  config.bucket_bytes = ReadInt(env, info[4], "bucketBytes");
  config.first_bucket_bytes = ReadInt(env, info[5], "firstBucketBytes");
  config.finds_unused = ReadBool(env, info[6], "findsUnused");
  config.uses_views = ReadBool(env, info[7], "usesViews");
  config.is_static = ReadBool(env, info[8], "isStatic");
  config.skips_unused = ReadBool(env, info[9], "skipsUnused");

  auto made = c10::make_intrusive<DataParallel>();
  made->group = group;
  made->is_static = config.is_static;
  made->reducer = MakeReducer<c10d::Reducer>(config, FirstBuckets(config), group->Get());
  if (config.is_static) made->reducer->set_static_graph();
  Tasks::Of(env).FreeRetired();
  return {env, ToExternal(env, std::make_unique<Pointer>(std::move(made)), kReducerTag, Finalize)};
}

// prepareForForward(reducer, reduces): before the module's forward. `reduces`: whether the backward
// pass will reduce gradients
Napi::Value PrepareForForward(const Napi::CallbackInfo& info) {
  const Pointer self = Self(info);
  if (ReadBool(info.Env(), info[1], "reduces")) self->reducer->prepare_for_forward();
  Named("DistributedDataParallel", *self->group, [&] { self->reducer->rebuild_buckets(); });
  return info.Env().Undefined();
}

// prepareForBackward(reducer, outputs): after the module's forward
Napi::Value PrepareForBackward(const Napi::CallbackInfo& info) {
  const Pointer self = Self(info);
  const auto outputs = UnwrapTensors(info.Env(), info[1], "outputs");
  Tasks::Of(info.Env()).backward_of =
      NameCall("backward of DistributedDataParallel", self->group->config());
  self->reducer->prepare_for_backward(outputs);
  return info.Env().Undefined();
}

// What the backward pass goes through first: as Python's _DDPSink.
struct DataParallelSink : torch::autograd::Function<DataParallelSink> {
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  static Tensors forward(Context* context, at::TensorList outputs, const Pointer& self) {
    // Outputs that the loss does not use have no gradient then, and neither have their parameters.
    context->set_materialize_grads(false);
    context->saved_data["self"] = c10::IValue::make_capsule(self);
    Tensors copies;
    for (const at::Tensor& output : outputs) copies.push_back(output.clone());
    return copies;
  }

  static Tensors backward(Context* context, Tensors gradients) {
    const auto self = c10::static_intrusive_pointer_cast<DataParallel>(
        context->saved_data.at("self").toCapsule());
    if (self->is_static && !std::exchange(self->is_delayed, true)) {
      torch::autograd::Engine::get_default_engine().queue_callback(
          [self] { self->reducer->delay_all_reduce(); });
    }
    // forward's last argument is not a tensor and has no gradient.
    gradients.emplace_back();
    return gradients;
  }
};

// passThroughSink(reducer, outputs): copies of them, whose backward pass tells the reducer where it
// begins; undefined where that is not needed any more
Napi::Value PassThroughSink(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const Pointer self = Self(info);
  const auto outputs = UnwrapTensors(env, info[1], "outputs");
  if (self->is_static && self->is_delayed) return info.Env().Undefined();
  const auto copies = DataParallelSink::apply(at::TensorList(outputs), self);
  Napi::Array array = Napi::Array::New(env, copies.size());
  for (uint32_t i = 0; i < array.Length(); i++) array.Set(i, WrapTensor(env, copies[i]));
  return array;
}

}  // namespace

void RegisterReducer(Napi::Object exports) {
  Export<VerifyParameters>(exports, "verifyParameters");
  Export<BroadcastCoalesced>(exports, "broadcastCoalesced");
  Export<NewReducer>(exports, "newReducer");
  Export<PrepareForForward>(exports, "prepareForForward");
  Export<PrepareForBackward>(exports, "prepareForBackward");
  Export<PassThroughSink>(exports, "passThroughSink");
}

}  // namespace bridge
