#include "src/runtime/edits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "nearby/time.h"

namespace nearby::internal {

std::optional<std::uint64_t> Edits::Begin(Edit& edit, Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (edits_.size() >= limit_) return std::nullopt;
  SetTime(now);
  edits_.insert_or_assign(next_, std::move(edit));
  unanswered_[next_] = Time{latest_.ms + timeout_ms_};
  return next_++;
}

// As everywhere in the runtime, a clock that says what it must not is not listened to.
void Edits::SetTime(Time now) {
  if (IsValid(now)) latest_ = std::max(latest_, now);
}

bool Edits::Answer(std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return unanswered_.erase(number) == 1;
}

std::optional<Edits::Unanswered> Edits::TimeOut(Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  SetTime(now);
  const auto first = unanswered_.begin();
  if (first == unanswered_.end() || latest_ < first->second) return std::nullopt;
  const std::uint64_t number = first->first;
  unanswered_.erase(first);
  return Unanswered{number, edits_.at(number).edit};
}

std::optional<Edits::Edit> Edits::End(std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = edits_.find(number);
  if (found == edits_.end()) return std::nullopt;
  std::optional<Edit> edit = std::move(found->second);
  edits_.erase(found);
  unanswered_.erase(number);
  return edit;
}

std::vector<Edits::Edit> Edits::EndAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Edit> edits;
  edits.reserve(edits_.size());
  for (auto& [number, edit] : edits_) edits.push_back(std::move(edit));
  edits_.clear();
  unanswered_.clear();
  return edits;
}

std::size_t Edits::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return edits_.size();
}

}  // namespace nearby::internal
