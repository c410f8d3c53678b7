#include "nearby/hash_ring.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "src/parts/ring_assignment.h"

namespace nearby {
namespace {

absl::Status CheckText(absl::string_view what, absl::string_view text, std::size_t max_bytes) {
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " is empty"));
  if (text.size() > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " has ", text.size(), " bytes, more than ", max_bytes));
  }
  return absl::OkStatus();
}

// `index` is where the caller put the seat.
absl::Status CheckSeat(const RingSeat& seat, std::size_t index) {
  absl::Status status =
      CheckText(absl::StrCat("the name of seat ", index), seat.name, HashRing::kMaxNameBytes);
  if (!status.ok()) return status;
  const std::string quoted = absl::StrCat("\"", absl::CEscape(seat.name), "\"");
  status = CheckText(absl::StrCat("the server of seat ", quoted), seat.server,
                     HashRing::kMaxServerBytes);
  if (!status.ok()) return status;
  if (seat.weight > HashRing::kMaxWeight) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the weight of seat ", quoted, " is ", seat.weight, ", more than ", HashRing::kMaxWeight));
  }
  return absl::OkStatus();
}

// Numbers for the servers of two rings: one number for one server, 0 for nobody.
class ServerNumbers {
 public:
  // By seat, and 0 at the end.
  std::vector<std::uint32_t> Of(const HashRing& ring) {
    std::vector<std::uint32_t> numbers;
    numbers.reserve(ring.seats().size() + 1);
    for (const RingSeat& seat : ring.seats()) {
      const auto next = static_cast<std::uint32_t>(numbers_.size() + 1);
      numbers.push_back(numbers_.try_emplace(seat.server, next).first->second);
    }
    numbers.push_back(0);
    return numbers;
  }

 private:
  absl::flat_hash_map<absl::string_view, std::uint32_t> numbers_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const HashRing>> HashRing::Create(RingVersion version,
                                                                 std::vector<RingSeat> seats) {
  if (seats.size() > kMaxSeats) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ring has ", seats.size(), " seats, more than ", kMaxSeats));
  }
  for (std::size_t i = 0; i < seats.size(); ++i) {
    if (absl::Status status = CheckSeat(seats[i], i); !status.ok()) return status;
  }
  std::sort(seats.begin(), seats.end(),
            [](const RingSeat& a, const RingSeat& b) { return a.name < b.name; });
  const auto twin =
      std::adjacent_find(seats.begin(), seats.end(),
                         [](const RingSeat& a, const RingSeat& b) { return a.name == b.name; });
  if (twin != seats.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("two seats have the name \"", absl::CEscape(twin->name), "\""));
  }
  return std::shared_ptr<const HashRing>(new HashRing(version, std::move(seats)));
}

HashRing::HashRing(RingVersion version, std::vector<RingSeat> seats)
    : version_(version), seats_(std::move(seats)), partition_counts_(seats_.size()) {
  static_assert(kNobody == kNoRunner);
  std::vector<RingRunner> runners;
  runners.reserve(seats_.size());
  seeds_.reserve(seats_.size());
  for (const RingSeat& seat : seats_) {
    seeds_.push_back(RingSeed(seat.name));
    runners.push_back(RingRunner{seeds_.back(), seat.weight});
    total_weight_ += seat.weight;
  }
  owners_ = AssignPartitions(runners, SharedRingClock());
  if (empty()) return;
  for (const std::uint16_t owner : owners_) ++partition_counts_[owner];
}

void HashRing::Owners(Channel channel, std::size_t count, std::vector<const RingSeat*>* out) const {
  if (empty() || count == 0) return;
  const std::uint32_t partition = ToInt(PartitionOf(channel));
  const std::uint16_t owner = owners_[partition];
  absl::flat_hash_set<absl::string_view> servers;
  servers.insert(seats_[owner].server);
  out->push_back(&seats_[owner]);

  // The others as a heap with the earliest on top: few of them are wanted as a rule.
  using TimeAndSeat = std::pair<std::uint64_t, std::size_t>;
  std::vector<TimeAndSeat> others;
  others.reserve(seats_.size());
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].weight == 0 || i == owner) continue;
    const std::uint32_t rank = RingCourse(seeds_[i], kPartitionBits).RankOf(partition);
    others.emplace_back(SharedRingClock().TimeOf(rank, seats_[i].weight), i);
  }
  std::make_heap(others.begin(), others.end(), std::greater<>());
  while (servers.size() < count && !others.empty()) {
    std::pop_heap(others.begin(), others.end(), std::greater<>());
    const RingSeat& seat = seats_[others.back().second];
    others.pop_back();
    if (servers.insert(seat.server).second) out->push_back(&seat);
  }
}

double HashRing::share(std::size_t seat) const {
  return static_cast<double>(partition_counts_[seat]) / kPartitions;
}

double HashRing::fair_share(std::size_t seat) const {
  if (empty()) return 0;
  return static_cast<double>(seats_[seat].weight) / static_cast<double>(total_weight_);
}

void Difference(const HashRing& from, const HashRing& to, std::vector<PartitionMove>* moves) {
  ServerNumbers numbers;
  const std::vector<std::uint32_t> servers_from = numbers.Of(from);
  const std::vector<std::uint32_t> servers_to = numbers.Of(to);
  // HashRing::kNobody is above all seats: it becomes the number at the end.
  const std::size_t nobody_from = servers_from.size() - 1;
  const std::size_t nobody_to = servers_to.size() - 1;
  for (std::uint32_t partition = 0; partition < HashRing::kPartitions; ++partition) {
    const std::size_t seat_from = std::min<std::size_t>(from.owners_[partition], nobody_from);
    const std::size_t seat_to = std::min<std::size_t>(to.owners_[partition], nobody_to);
    if (servers_from[seat_from] == servers_to[seat_to]) continue;
    const RingPartition moved{partition};
    moves->push_back(PartitionMove{moved, from.Owner(moved), to.Owner(moved)});
  }
}

}  // namespace nearby
