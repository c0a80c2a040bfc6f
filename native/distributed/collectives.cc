#include "distributed/collectives.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <utility>
#include <vector>

#include "devices/streams.h"
#include "distributed/groups.h"
#include "distributed/tasks.h"
#include "trace/background.h"
#include "values/ivalue.h"
#include "values/objects.h"
#include "values/storage.h"

namespace bridge {

namespace {

const std::vector<std::pair<const char*, c10d::ReduceOp::RedOpType>>& ReduceOps() {
  using Op = c10d::ReduceOp;
  static const std::vector<std::pair<const char*, Op::RedOpType>> kOps = {
      {"sum", Op::SUM}, {"avg", Op::AVG},   {"product", Op::PRODUCT}, {"min", Op::MIN},
      {"max", Op::MAX}, {"band", Op::BAND}, {"bor", Op::BOR},         {"bxor", Op::BXOR}};
  return kOps;
}

c10::IValue ReadReduceOp(napi_env env, napi_value value) {
  const std::string name = ReadString(env, value, "op");
  for (const auto& [known, op] : ReduceOps()) {
    if (name == known) return c10::make_intrusive<c10d::ReduceOp>(op);
  }
  throw Refused("op", "a ReduceOp", '"' + name + '"');
}

bool IsClass(const c10::Argument& argument, const char* name) {
  return argument.type()->kind() == c10::TypeKind::ClassType &&
         argument.type()->repr_str().find(name) != std::string::npos;
}

// A call of one of c10d's operators, whose group is put in where it runs.
struct CollectiveCall {
  c10::OperatorHandle handle;
  torch::jit::Stack stack = {};
  size_t group_at = 0;
};

CollectiveCall ReadCall(napi_env env, napi_value name, napi_value values) {
  const std::string operator_name = ReadString(env, name, "name");
  const auto handle = c10::Dispatcher::singleton().findSchema({operator_name, ""});
  if (!handle) {
    throw BridgeError("NOT_IMPLEMENTED", "this libtorch has no operator " + operator_name);
  }
  CollectiveCall call{*handle};
  const std::vector<napi_value> given = ReadArray(env, values, "values");
  size_t next = 0;
  for (const c10::Argument& argument : handle->schema().arguments()) {
    if (IsClass(argument, "c10d.ProcessGroup")) {
      call.group_at = call.stack.size();
      call.stack.emplace_back();
    } else if (next >= given.size()) {
      if (!argument.default_value()) {
        throw Refused("values", "given up to '" + argument.name() + "'", "fewer");
      }
      call.stack.push_back(*argument.default_value());
    } else if (IsClass(argument, "c10d.ReduceOp")) {
      call.stack.push_back(ReadReduceOp(env, given[next++]));
    } else {
      call.stack.push_back(ToIValueOfType(env, given[next++], argument.type(), argument.name()));
    }
  }
  return call;
}

void AddTensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor() && value.toTensor().defined()) tensors.push_back(value.toTensor());
  if (!value.isList()) return;
  for (const c10::IValue& element : value.toListRef()) AddTensors(element, tensors);
}

// Calls the operator; what to wait for, if anything.
c10::intrusive_ptr<c10d::Work> Issue(CollectiveCall& call, const GroupPointer& group) {
  call.stack[call.group_at] = group;
  call.handle.callBoxed(call.stack);
  if (call.stack.empty()) return {};
  return call.stack.back().toCustomClass<c10d::Work>();
}

// The tensors of a call, which nobody else may work on.
std::vector<at::Tensor> CheckTensors(napi_env env, const CollectiveCall& call) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& value : call.stack) AddTensors(value, tensors);
  for (const at::Tensor& tensor : tensors) {
    // Reading the values may have run user code.
    CheckStorage(env, tensor);
    CheckUnused(Environment::Of(env), tensor);
  }
  return tensors;
}

// What every rank has to call alike.
struct Agreement {
  // "allReduce('sum') of float32 [3]"
  std::string text;
  // The bytes for each rank, and from each; empty where all are alike.
  std::vector<int64_t> sends;
  std::vector<int64_t> receives;
};

Agreement ReadAgreement(napi_env env, napi_value value, size_t size) {
  const std::vector<napi_value> parts = ReadArray(env, value, "agreement");
  if (parts.size() != 3) throw Refused("agreement", "three values", std::to_string(parts.size()));
  Agreement agreement{ReadString(env, parts[0], "agreement"), ReadInts(env, parts[1], "sends"),
                      ReadInts(env, parts[2], "receives")};
  if (agreement.sends.size() != agreement.receives.size() ||
      (!agreement.sends.empty() && agreement.sends.size() != size)) {
    throw Refused("agreement", "a number for each rank", std::to_string(agreement.sends.size()));
  }
  return agreement;
}

// What ranks exchange: a hash of the text, its beginning, and the numbers of bytes.
struct Ballot {
  static constexpr size_t kText = 248;

  uint64_t hash;
  char text[kText];
};

// FNV-1a: the same on every machine.
uint64_t HashOf(const std::string& text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return hash;
}

at::Tensor Fill(const Agreement& agreement, int64_t size) {
  at::Tensor bytes = at::zeros({static_cast<int64_t>(sizeof(Ballot)) + 16 * size}, at::kByte);
  auto* data = static_cast<char*>(bytes.mutable_data_ptr());
  Ballot ballot{HashOf(agreement.text), {}};
  agreement.text.copy(ballot.text, Ballot::kText - 1);
  std::memcpy(data, &ballot, sizeof(ballot));
  const size_t part = agreement.sends.size() * sizeof(int64_t);
  std::memcpy(data + sizeof(ballot), agreement.sends.data(), part);
  std::memcpy(data + sizeof(ballot) + 8 * size, agreement.receives.data(), part);
  return bytes;
}

int64_t BytesIn(const at::Tensor& ballot, int64_t index) {
  int64_t bytes = 0;
  std::memcpy(&bytes,
              static_cast<const char*>(ballot.const_data_ptr()) + sizeof(Ballot) + 8 * index,
              sizeof(bytes));
  return bytes;
}

std::string OnRank(const std::string& what, size_t rank) {
  return what + " on rank " + std::to_string(rank);
}

// Throws DISTRIBUTED, on every rank, unless all of them are about to do the same.
void Compare(const Agreement& agreement, const GroupPointer& group, const Group::Config& config) {
  std::vector<at::Tensor> mine = {Fill(agreement, config.size)};
  std::vector<std::vector<at::Tensor>> all(1);
  for (int rank = 0; rank < config.size; rank++)
    all[0].push_back(at::empty(mine[0].sizes(), at::kByte));
  try {
    group->allgather(all, mine)->wait();
  } catch (const std::exception& error) {
    throw BridgeError(
        "DISTRIBUTED",
        "expected every rank to call it within " + std::to_string(config.timeout.count()) +
            " ms, but at least one has not, or has ended (libtorch: " + error.what() + ")");
  }
  std::vector<Ballot> ballots(all[0].size());
  for (size_t rank = 0; rank < ballots.size(); rank++) {
    std::memcpy(&ballots[rank], all[0][rank].const_data_ptr(), sizeof(Ballot));
    if (ballots[rank].hash == ballots[0].hash) continue;
    throw BridgeError("DISTRIBUTED", "expected the same call on every rank, but received " +
                                         OnRank(ballots[0].text, 0) + " and " +
                                         OnRank(ballots[rank].text, rank));
  }
  const int64_t size = config.size;
  for (int64_t from = 0; from < size; from++) {
    for (int64_t to = 0; to < size; to++) {
      const int64_t sent = BytesIn(all[0][from], to);
      const int64_t received = BytesIn(all[0][to], size + from);
      if (sent == received) continue;
      throw BridgeError("DISTRIBUTED",
                        "expected rank " + std::to_string(to) + " to receive what rank " +
                            std::to_string(from) + " sends, " + std::to_string(sent) +
                            " bytes, but received room for " + std::to_string(received));
    }
  }
}

Task::Result Source(int source) {
  return [source](napi_env env) -> napi_value { return Napi::Number::New(env, source); };
}

// Before a tensor, its sender sends what it is, with another tag.
constexpr int64_t kHeaderTag = int64_t{1} << 30;
constexpr int64_t kHeaderLength = 16;

at::Tensor HeaderOf(const at::Tensor& tensor) {
  at::Tensor header = at::zeros({kHeaderLength}, at::kLong);
  auto* data = header.mutable_data_ptr<int64_t>();
  data[0] = static_cast<int64_t>(tensor.scalar_type());
  data[1] = static_cast<int64_t>(tensor.nbytes());
  data[2] = tensor.dim();
  const int64_t sizes = std::min(tensor.dim(), kHeaderLength - 3);
  for (int64_t i = 0; i < sizes; i++) data[3 + i] = tensor.size(i);
  return header;
}

std::string DescribeHeader(const at::Tensor& header) {
  const auto* data = header.const_data_ptr<int64_t>();
  std::string sizes;
  for (int64_t i = 0; i < std::min(data[2], kHeaderLength - 3); i++) {
    sizes += (i == 0 ? "" : ", ") + std::to_string(data[3 + i]);
  }
  return std::string(c10::toString(static_cast<at::ScalarType>(data[0]))) + " [" + sizes + "]";
}

struct Pair {
  at::Tensor tensor = {};
  // -1: any.
  int64_t peer = -1;
  int64_t tag = 0;
};

Pair PairOf(const CollectiveCall& call) {
  const size_t last = call.stack.size() - 1;
  const bool is_any = last == 2;
  return {call.stack[0].toTensorVector().at(0), is_any ? -1 : call.stack[2].toInt(),
          call.stack[last].toInt()};
}

// Receives what a rank sends, whatever it is, and throws unless it fits.
Task::Result Receive(const Pair& pair, const GroupPointer& group) {
  std::vector<at::Tensor> header = {at::zeros({kHeaderLength}, at::kLong)};
  const auto tag = static_cast<int>(pair.tag);
  const int header_tag = tag + static_cast<int>(kHeaderTag);
  const auto announced = pair.peer < 0
                             ? group->recvAnysource(header, header_tag)
                             : group->recv(header, static_cast<int>(pair.peer), header_tag);
  announced->wait();
  const int source = pair.peer < 0 ? announced->sourceRank() : static_cast<int>(pair.peer);
  const at::Tensor own = HeaderOf(pair.tensor);
  const bool fits =
      std::memcmp(own.const_data_ptr(), header[0].const_data_ptr(), own.nbytes()) == 0;
  std::vector<at::Tensor> into = {
      fits ? pair.tensor : at::empty({header[0].const_data_ptr<int64_t>()[1]}, at::kByte)};
  group->recv(into, source, tag)->wait();
  if (fits) return Source(source);
  throw BridgeError("DISTRIBUTED", "expected rank " + std::to_string(source) + " to send " +
                                       DescribeHeader(own) + ", but received " +
                                       DescribeHeader(header[0]));
}

// A call in a group in which ranks compare nothing: made here and now, waited for by a task.
std::function<Task::Result()> Plain(const std::shared_ptr<CollectiveCall>& call,
                                    const GroupPointer& group) {
  return [call, work = Issue(*call, group)]() -> Task::Result {
    if (!work) return {};
    work->wait();
    const c10d::OpType type = work->retrieveOpType();
    const bool is_receive = type == c10d::OpType::RECV || type == c10d::OpType::RECVANYSOURCE;
    return is_receive ? Source(work->sourceRank()) : Task::Result();
  };
}

enum class Mode { kCollective, kSend, kReceive, kBlocking };

Mode ReadMode(napi_env env, napi_value value) {
  const std::string mode = ReadString(env, value, "mode");
  if (mode == "send") return Mode::kSend;
  if (mode == "recv") return Mode::kReceive;
  return mode == "blocking" ? Mode::kBlocking : Mode::kCollective;
}

// What a task does for a call.
std::function<Task::Result()> Body(const std::shared_ptr<Group>& group,
                                   const std::shared_ptr<CollectiveCall>& call, Mode mode,
                                   const Agreement& agreement) {
  const GroupPointer plain = group->Get();
  const GroupPointer comparing = group->Comparing();
  if (mode == Mode::kBlocking) {
    return [call, used = comparing ? comparing : plain]() -> Task::Result {
      Issue(*call, used);
      return {};
    };
  }
  if (!comparing) return Plain(call, plain);
  if (mode == Mode::kReceive) {
    return [pair = PairOf(*call), comparing] { return Receive(pair, comparing); };
  }
  if (mode == Mode::kSend) {
    const Pair pair = PairOf(*call);
    std::vector<at::Tensor> header = {HeaderOf(pair.tensor)};
    const auto announced = comparing->send(header, static_cast<int>(pair.peer),
                                           static_cast<int>(pair.tag + kHeaderTag));
    return [announced, header, sent = Plain(call, comparing)] {
      announced->wait();
      return sent();
    };
  }
  return [group, call, comparing, agreement, streams = CurrentStreams()]() -> Task::Result {
    const StreamsOf on_streams(streams);
    Compare(agreement, comparing, group->config());
    return Plain(call, comparing)();
  };
}

// collective(group, op, name, values, mode, agreement, done): a task of the operator `name`, with
// `values` for its arguments but the group. Its mode is 'collective'; 'send' or 'recv', which need
// one other rank, and not the calls before them; or 'blocking' if the operator itself waits for the
// others. The agreement is [text, bytes for each rank, bytes from each], which ranks compare. The
// result of a receive is the source.
Napi::Value Collective(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::shared_ptr<Group> group = UnwrapGroup(env, info[0], "group");
  const std::string what = NameCall(ReadString(env, info[1], "op"), group->config());
  const auto call = std::make_shared<CollectiveCall>(ReadCall(env, info[2], info[3]));
  const Mode mode = ReadMode(env, info[4]);
  const Agreement agreement =
      ReadAgreement(env, info[5], static_cast<size_t>(group->config().size));
  const std::vector<at::Tensor> tensors = CheckTensors(env, *call);
  // A call that has been made has no arguments any more.
  const Pair pair = mode == Mode::kReceive ? PairOf(*call) : Pair();
  std::function<Task::Result()> body;
  try {
    body = Body(group, call, mode, agreement);
  } catch (...) {
    throw KeepFailure(what);
  }
  const auto run = [&](std::function<void()> job) {
    if (mode == Mode::kSend) return StartThread(std::move(job));
    if (mode != Mode::kReceive) return group->queue().Add(std::move(job));
    group->QueueFrom(pair.peer, pair.tag).Add(std::move(job));
  };
  const auto task = Tasks::Of(env).Start(what, info[6], tensors, body, run);
  // User code could take the memory of an array away.
  if (std::any_of(tensors.begin(), tensors.end(), SharesArray)) task->Wait();
  return {env, WrapTask(env, task)};
}

}  // namespace

void RegisterCollectives(Napi::Object exports) { Export<Collective>(exports, "collective"); }

}  // namespace bridge
