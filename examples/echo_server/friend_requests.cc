#include "examples/echo_server/friend_requests.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace echo_server {

using nearby::UserId;

namespace {

absl::Status BecomingFriends() {
  return absl::AbortedError("the two are just becoming friends: try again");
}

}  // namespace

absl::StatusOr<FriendRequests::Outcome> FriendRequests::Add(UserId from, UserId to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (becoming_friends_.contains(PairOf(from, to))) return BecomingFriends();
  if (numbers_.contains(Request{to, from})) {
    becoming_friends_.insert(PairOf(from, to));
    return Outcome::kMutual;
  }
  if (numbers_.contains(Request{from, to})) return Outcome::kRequested;
  const auto count = counts_.find(from);
  if (count != counts_.end() && count->second >= options_.max_per_user) {
    return absl::ResourceExhaustedError(absl::StrCat("user ", nearby::ToInt(from), " has ",
                                                     count->second,
                                                     " friend requests that wait for an answer"));
  }
  // By value: what it is removed from is where it lies.
  if (numbers_.size() >= options_.max_requests) RemoveOne(Request(by_age_.begin()->second));
  numbers_[{from, to}] = next_number_;
  by_age_[next_number_] = {from, to};
  ++counts_[from];
  ++next_number_;
  return Outcome::kRequested;
}

void FriendRequests::Finish(UserId a, UserId b, bool are_friends) {
  const std::lock_guard<std::mutex> lock(mutex_);
  becoming_friends_.erase(PairOf(a, b));
  if (are_friends) RemoveBoth(a, b);
}

absl::Status FriendRequests::Remove(UserId a, UserId b) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (becoming_friends_.contains(PairOf(a, b))) return BecomingFriends();
  RemoveBoth(a, b);
  return absl::OkStatus();
}

FriendRequests::Request FriendRequests::PairOf(UserId a, UserId b) {
  return {std::min(a, b), std::max(a, b)};
}

void FriendRequests::RemoveBoth(UserId a, UserId b) {
  RemoveOne({a, b});
  RemoveOne({b, a});
}

void FriendRequests::RemoveOne(const Request& request) {
  const auto number = numbers_.find(request);
  if (number == numbers_.end()) return;
  by_age_.erase(number->second);
  numbers_.erase(number);
  const auto count = counts_.find(request.from);
  if (--count->second == 0) counts_.erase(count);
}

std::size_t FriendRequests::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return numbers_.size();
}

}  // namespace echo_server
