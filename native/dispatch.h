// ATen's operators as JavaScript functions: looked up once, called boxed.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <vector>

#include "environment.h"
#include "ivalue.h"
#include "napi_setup.h"

namespace bridge {

// An operator with its conversions planned: the data of one JavaScript function.
struct Operator {
  Environment* environment;
  c10::OperatorHandle handle;
  // "crossEntropyLoss", "add": what messages call it
  std::string name;
  std::vector<ArgumentPlan> arguments;
  // In-place and out= forms give back one of their arguments: the caller has it already.
  bool returns_argument;
  // The arguments that it writes to.
  std::vector<size_t> written;
  // Whether converting the arguments may run scripts, because an array is among them.
  bool reads_arrays;
};

// operator, schema, operatorNames
void RegisterDispatch(Napi::Object exports);

}  // namespace bridge
