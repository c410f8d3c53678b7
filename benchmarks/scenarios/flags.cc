#include "benchmarks/scenarios/flags.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/flag_values.h"
#include "benchmarks/capacity/world.h"

namespace scenarios {
namespace {

using capacity::SetNumber;

absl::Status SetLoad(absl::string_view name, absl::string_view value, Flags* flags) {
  constexpr std::uint64_t kMaxUsers = std::uint64_t{1} << 25;
  if (name == "users") {
    return SetNumber(name, value, {capacity::kMinUsers, kMaxUsers}, &flags->users);
  }
  if (name == "friends") return SetNumber(name, value, {1, capacity::kMaxFriends}, &flags->friends);
  if (name == "skipping") return capacity::SetSwitch(name, value, &flags->skipping);
  if (name == "batch") return SetNumber(name, value, {1, 100'000}, &flags->batch);
  if (name == "chunk") return SetNumber(name, value, {1, 10'000'000}, &flags->chunk);
  if (name == "repetitions") return SetNumber(name, value, {1, 1'000}, &flags->repetitions);
  if (name == "warmup-rounds") return SetNumber(name, value, {1, 100}, &flags->warmup_rounds);
  if (name == "seed") return SetNumber(name, value, {0, ~std::uint64_t{0}}, &flags->seed);
  return capacity::NoSuchFlag(name);
}

absl::Status SetPlacement(absl::string_view name, absl::string_view value, Placement* placement) {
  for (const Placement known : {Placement::kRegion, Placement::kHash, Placement::kApart}) {
    if (value != NameOf(known)) continue;
    *placement = known;
    return absl::OkStatus();
  }
  return capacity::BadValue(name, value, "\"region\", \"hash\" or \"apart\"");
}

absl::Status SetShards(absl::string_view name, absl::string_view value, Flags* flags) {
  if (name == "nodes") return SetNumber(name, value, {2, 1'000}, &flags->nodes);
  if (name == "pace") return SetNumber(name, value, {1, 1'000'000}, &flags->pace);
  if (name == "shards") return SetNumber(name, value, {1, 64}, &flags->shards);
  if (name == "placement") return SetPlacement(name, value, &flags->placement);
  if (name == "reports-per-churn") {
    return SetNumber(name, value, {1, 1'000'000}, &flags->reports_per_churn);
  }
  return SetLoad(name, value, flags);
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, Flags* flags) {
  if (name == "whales") return SetNumber(name, value, {1, 1'000}, &flags->whales);
  if (name == "whale-friends") return SetNumber(name, value, {1, 65'535}, &flags->whale_friends);
  if (name == "storm-percent") return SetNumber(name, value, {1, 100}, &flags->storm_percent);
  if (name == "churn-percent") return SetNumber(name, value, {1, 100}, &flags->churn_percent);
  if (name == "arrival-s") return SetNumber(name, value, {1, 600}, &flags->arrival_s);
  if (name == "minutes") return SetNumber(name, value, {1, 600}, &flags->minutes);
  if (name == "rate") return SetNumber(name, value, {1, 10'000'000}, &flags->rate);
  if (name == "seconds") return SetNumber(name, value, {1, 3'600}, &flags->seconds);
  if (name == "json") return capacity::SetPath(name, value, &flags->json);
  return SetShards(name, value, flags);
}

absl::Status Check(const Flags& flags) {
  if (std::uint64_t{flags.users} * (flags.friends + 1) > 0xFFFFFFFFu) {
    return absl::InvalidArgumentError("--users times --friends must stay below 2^32");
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view NameOf(Placement placement) {
  switch (placement) {
    case Placement::kRegion:
      return "region";
    case Placement::kHash:
      return "hash";
    case Placement::kApart:
      return "apart";
  }
  return "";
}

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Flags flags;
  absl::Status status =
      capacity::ForEachFlag(arguments, [&flags](absl::string_view name, absl::string_view value) {
        return SetFlag(name, value, &flags);
      });
  if (status.ok()) status = Check(flags);
  if (!status.ok()) return status;
  // Nobody can have more.
  flags.whale_friends = std::min(flags.whale_friends, flags.users);
  return flags;
}

}  // namespace scenarios
