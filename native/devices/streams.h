// Streams: queues of a device's work, each in its own order.
#pragma once

#include <c10/core/Stream.h>

#include <string>
#include <vector>

#include "napi_setup.h"

namespace bridge {

// The streams that are current on this thread, of every device but the CPU whose libtorch is ready
// for use; empty without one.
std::vector<c10::Stream> CurrentStreams();

// Makes streams current on this thread for as long as it lives.
class StreamsOf {
 public:
  explicit StreamsOf(const std::vector<c10::Stream>& streams);
  ~StreamsOf();
  StreamsOf(const StreamsOf&) = delete;
  StreamsOf& operator=(const StreamsOf&) = delete;

 private:
  std::vector<c10::Stream> before_;
};

// Throws INVALID_ARGUMENT for anything but a stream of ours.
const c10::Stream& UnwrapStream(napi_env env, napi_value value, const std::string& argument);

// newStream, currentStream, withStream, synchronizeStream, queryStream, waitStream, recordStream, …
void RegisterStreams(Napi::Object exports);

}  // namespace bridge
