#include "src/runtime/edits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace nearby::internal {

std::optional<std::uint64_t> Edits::Begin(Edit& edit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (edits_.size() >= limit_) return std::nullopt;
  edits_.insert_or_assign(next_, std::move(edit));
  return next_++;
}

std::optional<Edits::Edit> Edits::End(std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = edits_.find(number);
  if (found == edits_.end()) return std::nullopt;
  std::optional<Edit> edit = std::move(found->second);
  edits_.erase(found);
  return edit;
}

std::optional<FriendEdit> Edits::Find(std::uint64_t number) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = edits_.find(number);
  if (found == edits_.end()) return std::nullopt;
  return found->second.edit;
}

std::vector<Edits::Edit> Edits::EndAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::uint64_t> numbers;
  numbers.reserve(edits_.size());
  for (const auto& [number, edit] : edits_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  std::vector<Edit> edits;
  edits.reserve(numbers.size());
  for (const std::uint64_t number : numbers) edits.push_back(std::move(edits_.at(number)));
  edits_.clear();
  return edits;
}

std::size_t Edits::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return edits_.size();
}

}  // namespace nearby::internal
