// ATen's operators as JavaScript functions: looked up once, called boxed.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <string>
#include <vector>

#include "dispatch/outputs.h"
#include "dispatch/unboxed.h"
#include "environment.h"
#include "napi_setup.h"
#include "values/ivalue.h"

namespace bridge {

// An operator with its conversions planned: the data of one JavaScript function.
struct Operator {
  Environment* environment;
  c10::OperatorHandle handle;
  // "crossEntropyLoss", "add": what messages call it
  std::string name;
  std::vector<ArgumentPlan> arguments;
  Outputs outputs;
  // Whether converting the arguments may run user code, because an array is among them.
  bool reads_arrays;
  UnboxedCall unboxed = {};
};

// Whether the operator takes a number for any tensor: "aten::add".
bool TakesNumbers(const std::string& name);

// operator, schema, operatorNames
void RegisterDispatch(Napi::Object exports);

}  // namespace bridge
