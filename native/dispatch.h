// ATen's operators as JavaScript functions: looked up once, called boxed.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

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
  // Those of an out= form: the only ones that libtorch would resize.
  std::vector<size_t> outs;
  // Whether converting the arguments may run scripts, because an array is among them.
  bool reads_arrays;
};

// Calls the operator. A tensor that is written into keeps its shape: libtorch resizes one that does
// not fit, and leaves it larger than its memory if that cannot grow.
void CallOperator(const c10::OperatorHandle& handle, const std::vector<size_t>& outs,
                  torch::jit::Stack& stack);

// operator, schema, operatorNames
void RegisterDispatch(Napi::Object exports);

}  // namespace bridge
