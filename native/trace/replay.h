// What scripts do with recorded programs: record them, run them at once or in chunks, and take
// their results.
#pragma once

#include <memory>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// While it lives, operators of the environment are written down in a recording; in none, with
// nullptr.
class RecordingScope {
 public:
  RecordingScope(Environment& environment, std::shared_ptr<Recording> recording);
  ~RecordingScope();
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

 private:
  Environment& environment_;
  std::shared_ptr<Recording> outer_;
};

// Records what `fn` does with the pending handles of the recording's inputs; what it gives, an
// array of handles, is the program's output.
void RecordScript(Environment& environment, const std::shared_ptr<Recording>& recording,
                  napi_value fn, bool below_autograd);

// record, run, runInChunks, outsideRecording, refuseIf, keepOnOneThread, stepCount, settle
void RegisterPrograms(Napi::Object exports);

}  // namespace bridge
