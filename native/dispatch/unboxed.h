// Calls of operators by their C++ signatures, for those that small operators have: without IValues
// on a stack, which cost as much as such an operator's arithmetic.
#pragma once

#include <functional>

#include "napi_setup.h"

namespace bridge {

struct Operator;

// Takes a value for each argument of the schema.
using UnboxedCall = std::function<napi_value(napi_env env, const napi_value* argv)>;

// The call of an operator that stays where it is; empty if it has another signature, or writes to
// arguments.
UnboxedCall FindUnboxedCall(const Operator& op);

}  // namespace bridge
