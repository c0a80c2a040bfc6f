// Programs as JavaScript uses them: traced once, run whole or in chunks.
#pragma once

#include <memory>

#include "environment.h"
#include "napi_setup.h"

namespace bridge {

// While it lives, operators of the environment are traced; with nullptr, they are called.
class TracingScope {
 public:
  TracingScope(Environment& environment, std::shared_ptr<Tracer> tracer);
  ~TracingScope();
  TracingScope(const TracingScope&) = delete;
  TracingScope& operator=(const TracingScope&) = delete;

 private:
  Environment& environment_;
  std::shared_ptr<Tracer> outer_;
};

// Traces `fn`, called with the pending handles of the tracer's inputs; the array of handles that it
// returns is the program's output.
void TraceFunction(Environment& environment, const std::shared_ptr<Tracer>& tracer, napi_value fn,
                   bool below_autograd);

// trace, run, fingerprint, runInChunks, withoutTracing, refuseIf, keepOnOneThread,
// keepForProgram, stepCount, resolvePending
void RegisterReplay(Napi::Object exports);

}  // namespace bridge
