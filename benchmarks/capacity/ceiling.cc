#include "benchmarks/capacity/ceiling.h"

#include <sys/mman.h>

#include <chrono>
#include <cstddef>
#include <new>

#include "benchmarks/capacity/random.h"

namespace capacity {
namespace {

constexpr std::size_t kReads = std::size_t{1} << 22;
constexpr std::size_t kAhead = 32;
constexpr std::size_t kLargePage = std::size_t{2} << 20;

}  // namespace

Ceiling::Ceiling(std::uint32_t users) : indices_(kReads + kAhead) {
  const std::size_t bytes = users * sizeof(std::uint64_t);
  table_ = static_cast<std::uint64_t*>(::operator new (bytes, std::align_val_t{kLargePage}));
  madvise(table_, bytes, MADV_HUGEPAGE);
  for (std::uint32_t i = 0; i < users; ++i) table_[i] = i;
  Random random(7);
  for (std::uint32_t& index : indices_) index = static_cast<std::uint32_t>(random.Below(users));
}

Ceiling::~Ceiling() { ::operator delete (table_, std::align_val_t{kLargePage}); }

double Ceiling::ReadsPerSecond() {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kReads; ++i) {
    __builtin_prefetch(&table_[indices_[i + kAhead]], 0, 2);
    sum += table_[indices_[i]];
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  sum_ += sum;
  // So that the reads are not left out.
  asm volatile("" : : "r"(sum_));
  return kReads / took.count();
}

}  // namespace capacity
