// libtorch called from C++, without a bridge. protocol.md says what is asked and answered.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/_ctc_loss.h>
#include <ATen/ops/_ctc_loss_backward.h>
#include <ATen/ops/_log_softmax_backward_data.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/ctc_loss.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/mse_loss_backward.h>
#include <ATen/ops/nll_loss_backward.h>
#include <ATen/ops/nll_loss_forward.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/smooth_l1_loss.h>
#include <ATen/ops/smooth_l1_loss_backward.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// It lies elsewhere in other versions.
#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#else
#include <torch/version.h>
#endif

namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;
using ValueAndGrad = std::pair<Tensor, Tensor>;
constexpr int64_t kMean = at::Reduction::Mean;

const std::map<std::string, at::ScalarType> kDtypes = {
    {"float32", at::kFloat}, {"bfloat16", at::kBFloat16}, {"int64", at::kLong}};

// The losses with PyTorch's defaults; the divergence with 'batchmean', as PyTorch's Python composes
// it.
const std::map<std::string, std::function<Tensor(const Tensor&, const Tensors&)>> kLosses = {
    {"crossEntropy",
     [](const Tensor& x, const Tensors& rest) { return at::cross_entropy_loss(x, rest[0]); }},
    {"binaryCrossEntropyWithLogits",
     [](const Tensor& x, const Tensors& rest) {
       return at::binary_cross_entropy_with_logits(x, rest[0]);
     }},
    {"mseLoss", [](const Tensor& x, const Tensors& rest) { return at::mse_loss(x, rest[0]); }},
    {"klDiv",
     [](const Tensor& x, const Tensors& rest) {
       return at::div(at::kl_div(x, rest[0], at::Reduction::Sum), x.size(0));
     }},
    {"smoothL1Loss",
     [](const Tensor& x, const Tensors& rest) { return at::smooth_l1_loss(x, rest[0]); }},
    {"ctcLoss", [](const Tensor& x,
                   const Tensors& rest) { return at::ctc_loss(x, rest[0], rest[1], rest[2]); }},
};

ValueAndGrad CrossEntropyDirect(const Tensor& x, const Tensors& rest) {
  const Tensor logs = at::log_softmax(x, 1);
  const auto [value, total] = at::nll_loss_forward(logs, rest[0], {}, kMean, -100);
  const Tensor one = at::ones_like(value);
  const Tensor back = at::nll_loss_backward(one, logs, rest[0], {}, kMean, -100, total);
  return {value, at::_log_softmax_backward_data(back, logs, 1, x.scalar_type())};
}

ValueAndGrad CtcDirect(const Tensor& x, const Tensors& rest) {
  const auto [losses, alpha] = at::_ctc_loss(x, rest[0], rest[1], rest[2]);
  const Tensor lengths = rest[2].clamp_min(1);
  const Tensor value = at::div(losses, lengths).mean();
  const Tensor upstream = at::div(lengths.to(x.scalar_type()).reciprocal(), lengths.size(0));
  return {value, at::_ctc_loss_backward(upstream, x, rest[0], rest[1], rest[2], losses, alpha, 0)};
}

// Value and gradient by the backward operators themselves, where ATen has them: no graph, no
// engine.
const std::map<std::string, std::function<ValueAndGrad(const Tensor&, const Tensors&)>> kDirect = {
    {"crossEntropy", CrossEntropyDirect},
    {"mseLoss",
     [](const Tensor& x, const Tensors& rest) -> ValueAndGrad {
       const Tensor value = at::mse_loss(x, rest[0]);
       return {value, at::mse_loss_backward(at::ones_like(value), x, rest[0], kMean)};
     }},
    {"smoothL1Loss",
     [](const Tensor& x, const Tensors& rest) -> ValueAndGrad {
       const Tensor value = at::smooth_l1_loss(x, rest[0]);
       return {value, at::smooth_l1_loss_backward(at::ones_like(value), x, rest[0], kMean, 1.0)};
     }},
    {"ctcLoss", CtcDirect},
};

Tensor Read(const std::string& path, const std::string& dtype, const std::string& shape) {
  std::vector<int64_t> sizes;
  std::stringstream stream(shape);
  for (std::string size; std::getline(stream, size, 'x');) sizes.push_back(std::stoll(size));
  Tensor tensor = at::empty(sizes, at::device(at::kCPU).dtype(kDtypes.at(dtype)));
  std::ifstream file(path, std::ios::binary);
  file.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  if (!file) throw std::runtime_error("cannot read " + path);
  return tensor;
}

// What is measured: one loss over the inputs that were loaded.
class Case {
 public:
  Case(const std::string& loss, const Tensors& inputs)
      : loss_(kLosses.at(loss)),
        direct_(kDirect.count(loss) ? kDirect.at(loss) : nullptr),
        input_(inputs.at(0)),
        leaf_(input_.detach().requires_grad_()),
        rest_(inputs.begin() + 1, inputs.end()) {}

  double Number() const { return loss_(input_, rest_).item().toDouble(); }
  Tensor Value() const { return loss_(input_, rest_); }
  ValueAndGrad Gradient() const {
    const Tensor value = loss_(leaf_, rest_);
    return {value, torch::autograd::grad({value}, {leaf_})[0]};
  }
  ValueAndGrad Direct() const { return direct_(input_, rest_); }

 private:
  std::function<Tensor(const Tensor&, const Tensors&)> loss_;
  std::function<ValueAndGrad(const Tensor&, const Tensors&)> direct_;
  Tensor input_;
  Tensor leaf_;
  Tensors rest_;
};

template <typename Call>
double Seconds(int64_t count, const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < count; i++) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string Numeral(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string Check(const Case& loaded, const std::string& form) {
  if (form == "number") return "{\"value\":" + Numeral(loaded.Number()) + "}";
  if (form == "tensor") return "{\"value\":" + Numeral(loaded.Value().item().toDouble()) + "}";
  const auto [value, grad] = form == "gradient" ? loaded.Gradient() : loaded.Direct();
  const Tensor norm = at::linalg_vector_norm(grad, 2, {}, false, at::kDouble);
  return "{\"value\":" + Numeral(value.item().toDouble()) +
         ",\"gradient\":{\"norm\":" + Numeral(norm.item().toDouble()) + "}}";
}

std::string Run(const Case& loaded, const std::string& form, int64_t count) {
  double seconds = 0;
  if (form == "number") seconds = Seconds(count, [&] { return loaded.Number(); });
  if (form == "tensor") seconds = Seconds(count, [&] { return loaded.Value(); });
  if (form == "gradient") seconds = Seconds(count, [&] { return loaded.Gradient(); });
  if (form == "gradient-direct") seconds = Seconds(count, [&] { return loaded.Direct(); });
  return "{\"seconds\":" + Numeral(seconds) + "}";
}

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> words;
  std::stringstream stream(line);
  for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
  return words;
}

std::string Answer(const std::vector<std::string>& words, std::unique_ptr<Case>& loaded) {
  const std::string& name = words.at(0);
  if (name == "about") {
    return std::string("{\"version\":\"") + TORCH_VERSION + "\",\"capability\":\"" +
           at::get_cpu_capability() + "\"}";
  }
  if (name == "threads") {
    at::set_num_threads(std::stoi(words.at(1)));
    return "{}";
  }
  if (name == "load") {
    loaded.reset();
    Tensors inputs;
    for (size_t i = 3; i + 2 < words.size(); i += 3) {
      inputs.push_back(Read(words[i], words[i + 1], words[i + 2]));
    }
    loaded = std::make_unique<Case>(words.at(1), inputs);
    return "{}";
  }
  if (!loaded) throw std::runtime_error("no case is loaded");
  if (name == "check") return Check(*loaded, words.at(1));
  if (name == "run") return Run(*loaded, words.at(1), std::stoll(words.at(2)));
  throw std::runtime_error("unknown request " + name);
}

// A text as JSON has it; what errors say holds nothing worse than quotes, backslashes and line
// ends.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') quoted += '\\';
    quoted += character == '\n' ? ' ' : character;
  }
  return quoted + "\"";
}

}  // namespace

int main() {
  std::unique_ptr<Case> loaded;
  for (std::string line; std::getline(std::cin, line);) {
    std::string answer;
    try {
      answer = Answer(Split(line), loaded);
    } catch (const std::exception& error) {
      answer = "{\"error\":" + Quoted(error.what()) + "}";
    }
    std::cout << answer << std::endl;
  }
  return 0;
}
