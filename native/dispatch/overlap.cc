#include "dispatch/overlap.h"

#include <ATen/MemoryOverlap.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "guard.h"
#include "values/storage.h"
#include "values/tensor_handle.h"

namespace bridge {

namespace {

// Steps of `size` bytes, of which 0 to `most` are taken.
struct Term {
  int64_t size;
  int64_t most;
};

// The first byte that a tensor with elements uses, and how far it is from there to behind the last.
struct Extent {
  int64_t begin;
  int64_t length;

  explicit Extent(const at::Tensor& tensor)
      : begin(reinterpret_cast<int64_t>(tensor.const_data_ptr())), length(1) {
    for (int64_t dim = 0; dim < tensor.dim(); dim++) {
      length += tensor.stride(dim) * (tensor.size(dim) - 1);
    }
    length *= static_cast<int64_t>(tensor.element_size());
  }
};

// Every byte of the tensor lies at a sum of these terms from its first one.
void AddTerms(const at::Tensor& tensor, std::vector<Term>& terms) {
  const auto item = static_cast<int64_t>(tensor.element_size());
  const auto add = [&](int64_t size, int64_t most) {
    if (size != 0 && most != 0) terms.push_back({size, most});
  };
  add(1, item - 1);
  for (int64_t dim = 0; dim < tensor.dim(); dim++) {
    add(tensor.stride(dim) * item, tensor.size(dim) - 1);
  }
}

// Whether `target` is a sum of the terms: each is tried as often as leaves something that the
// smaller ones can reach. Views of a tensor are decided in a few steps; what takes more than
// `steps` counts as a sum.
class SumSearch {
 public:
  explicit SumSearch(std::vector<Term> terms) : terms_(std::move(terms)) {
    std::sort(terms_.begin(), terms_.end(), [](auto& a, auto& b) { return a.size > b.size; });
    reach_.resize(terms_.size() + 1, 0);
    divisor_.resize(terms_.size() + 1, 0);
    for (size_t i = terms_.size(); i-- > 0;) {
      reach_[i] = reach_[i + 1] + terms_[i].size * terms_[i].most;
      divisor_[i] = std::gcd(divisor_[i + 1], terms_[i].size);
    }
  }

  bool Reaches(int64_t target, size_t from = 0) {
    if (target == 0) return true;
    if (target < 0 || target > reach_[from] || target % divisor_[from] != 0) return false;
    if (++steps_ > kSteps) return true;
    const auto& [size, most] = terms_[from];
    const int64_t missing = std::max<int64_t>(0, target - reach_[from + 1]);
    for (int64_t n = std::min(most, target / size); n * size >= missing; n--) {
      if (Reaches(target - n * size, from + 1)) return true;
      if (n == 0) break;
    }
    return false;
  }

 private:
  static constexpr int kSteps = 100'000;
  std::vector<Term> terms_;
  // Of the terms from each on: their largest sum, and what divides every sum.
  std::vector<int64_t> reach_;
  std::vector<int64_t> divisor_;
  int steps_ = 0;
};

bool IsSame(const at::Tensor& a, const at::Tensor& b) {
  if (a.const_data_ptr() != b.const_data_ptr() || a.element_size() != b.element_size() ||
      a.sizes() != b.sizes()) {
    return false;
  }
  for (int64_t dim = 0; dim < a.dim(); dim++) {
    if (a.size(dim) > 1 && a.stride(dim) != b.stride(dim)) return false;
  }
  return at::has_internal_overlap(a) != at::MemOverlap::Yes;
}

// overlap(tensor, other): 0 where they use no byte together, 1 where each element of one lies in
// the place of the other's, 2 where they overlap otherwise. An expanded tensor overlaps itself. Of
// tensors that are still to be computed nothing is known.
Napi::Value OverlapEntry(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto answer = [&](Overlap overlap) {
    return Napi::Number::New(env, static_cast<uint32_t>(overlap));
  };
  if (PendingOf(env, info[0], "tensor") != nullptr) return answer(Overlap::kNone);
  const at::Tensor tensor = UnwrapTensor(env, info[0], "tensor");
  if (info[1].IsTypedArray()) return answer(OverlapOf(tensor, ViewOfArray(env, info[1])));
  if (PendingOf(env, info[1], "other") != nullptr) return answer(Overlap::kNone);
  return answer(OverlapOf(tensor, UnwrapTensor(env, info[1], "other")));
}

}  // namespace

Overlap OverlapOf(const at::Tensor& a, const at::Tensor& b) {
  if (!a.has_storage() || !b.has_storage() || a.numel() == 0 || b.numel() == 0 ||
      a.device() != b.device() || a.is_meta()) {
    return Overlap::kNone;
  }
  const Extent of_a(a);
  const Extent of_b(b);
  if (of_a.begin + of_a.length <= of_b.begin || of_b.begin + of_b.length <= of_a.begin) {
    return Overlap::kNone;
  }
  if (IsSame(a, b)) return Overlap::kSame;
  // A byte of both: begin_a + sum_a = begin_b + sum_b. Counted from its last byte, b's is
  // length_b - 1 - sum_b, which is a sum of the same terms.
  std::vector<Term> terms;
  AddTerms(a, terms);
  AddTerms(b, terms);
  const int64_t target = of_b.begin + of_b.length - 1 - of_a.begin;
  return SumSearch(std::move(terms)).Reaches(target) ? Overlap::kPartial : Overlap::kNone;
}

void RegisterOverlap(Napi::Object exports) { Export<OverlapEntry>(exports, "overlap"); }

}  // namespace bridge
