#include "devices/streams.h"

#include <ATen/DeviceAccelerator.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "devices/devices.h"
#include "guard.h"
#include "values/external.h"
#include "values/ivalue.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// Made by a random generator once; tells streams from every other External.
constexpr napi_type_tag kStreamTag = {0x71f0c3e8a52d4b96, 0x8c1e6d04b7f93a25};

// Streams belong to libtorch's pool: the External owns the number alone.
Napi::Value Wrap(napi_env env, c10::Stream stream) {
  return {env, ToExternal(env, std::make_unique<c10::Stream>(stream), kStreamTag)};
}

const c10::Stream& ReadStream(napi_env env, napi_value value) {
  return UnwrapStream(env, value, "stream");
}

// newStream(device): one of the device's pool
Napi::Value NewStream(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  return Wrap(info.Env(),
              c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device));
}

// currentStream(device): the one to which this thread's work on the device goes
Napi::Value CurrentStream(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  return Wrap(info.Env(), c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

// defaultStream(device): the one to which work goes where nobody says otherwise
Napi::Value DefaultStream(const Napi::CallbackInfo& info) {
  const c10::Device device = ReadAccelerator(info.Env(), info[0], "device");
  return Wrap(info.Env(), c10::impl::VirtualGuardImpl(device.type()).getDefaultStream(device));
}

// withStream(stream, fn): calls fn with the stream as the current one of its device, and the device
// as the current one
Napi::Value WithStream(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const c10::StreamGuard guard(ReadStream(env, info[0]));
  if (!info[1].IsFunction()) throw Refused("fn", "a function", Describe(env, info[1]));
  napi_value result = nullptr;
  if (napi_call_function(env, info.Env().Undefined(), info[1], 0, nullptr, &result) != napi_ok) {
    throw JsThrew();
  }
  return {env, result};
}

// streamDevice(stream): "cuda:0"
Napi::Value StreamDevice(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), ReadStream(info.Env(), info[0]).device().str());
}

// streamId(stream): libtorch's number of it, the same for the same stream
Napi::Value StreamId(const Napi::CallbackInfo& info) {
  const c10::Stream& stream = ReadStream(info.Env(), info[0]);
  return Napi::Number::New(info.Env(), static_cast<double>(stream.id()));
}

// synchronizeStream(stream): waits until what is queued on it has run
Napi::Value SynchronizeStream(const Napi::CallbackInfo& info) {
  ReadStream(info.Env(), info[0]).synchronize();
  return info.Env().Undefined();
}

// queryStream(stream): whether everything queued on it has run
Napi::Value QueryStream(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ReadStream(info.Env(), info[0]).query());
}

// waitStream(stream, other): what is queued on the stream from here on waits for what is queued on
// the other now
Napi::Value WaitStream(const Napi::CallbackInfo& info) {
  const c10::Stream& stream = ReadStream(info.Env(), info[0]);
  const c10::Stream& other = ReadStream(info.Env(), info[1]);
  if (stream.device_type() != other.device_type()) {
    throw Refused("other", "a stream of the same kind of device", other.device().str());
  }
  c10::Event event(other.device_type());
  event.record(other);
  event.block(stream);
  return info.Env().Undefined();
}

// recordStream(tensor, stream): its memory goes to nobody else before the stream is done with it
Napi::Value RecordStream(const Napi::CallbackInfo& info) {
  const at::Tensor& tensor = UnwrapTensor(info.Env(), info[0], "tensor");
  const c10::Stream& stream = ReadStream(info.Env(), info[1]);
  if (tensor.device().type() != stream.device_type()) {
    throw Refused("stream", "of the tensor's kind of device", stream.device().str());
  }
  c10::impl::VirtualGuardImpl(stream.device_type())
      .recordDataPtrOnStream(tensor.storage().data_ptr(), stream);
  return info.Env().Undefined();
}

}  // namespace

const c10::Stream& UnwrapStream(napi_env env, napi_value value, const std::string& argument) {
  const auto* stream = FromExternal<c10::Stream>(env, value, kStreamTag);
  if (stream == nullptr) throw Refused(argument, "a Stream", Describe(env, value));
  return *stream;
}

std::vector<c10::Stream> CurrentStreams() {
  const std::optional<c10::DeviceType> type = at::getAccelerator();
  std::vector<c10::Stream> streams;
  if (!type) return streams;
  const c10::impl::VirtualGuardImpl impl(*type);
  for (c10::DeviceIndex i = 0; i < impl.deviceCount(); i++) {
    streams.push_back(impl.getStream(c10::Device(*type, i)));
  }
  return streams;
}

StreamsOf::StreamsOf(const std::vector<c10::Stream>& streams) {
  for (const c10::Stream& stream : streams) {
    before_.push_back(c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream));
  }
}

StreamsOf::~StreamsOf() {
  for (const c10::Stream& stream : before_) {
    c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream);
  }
}

void RegisterStreams(Napi::Object exports) {
  Export<NewStream>(exports, "newStream");
  Export<CurrentStream>(exports, "currentStream");
  Export<DefaultStream>(exports, "defaultStream");
  Export<WithStream>(exports, "withStream");
  Export<StreamDevice>(exports, "streamDevice");
  Export<StreamId>(exports, "streamId");
  Export<SynchronizeStream>(exports, "synchronizeStream");
  Export<QueryStream>(exports, "queryStream");
  Export<WaitStream>(exports, "waitStream");
  Export<RecordStream>(exports, "recordStream");
}

}  // namespace bridge
