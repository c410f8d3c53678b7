#include "benchmarks/peers/world.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/capacity/sphere.h"
#include "examples/replay/fields.h"
#include "examples/replay/line_reader.h"
#include "examples/replay/output_file.h"
#include "examples/replay/trace_reader.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace peers {
namespace {

using nearby::UserId;
using Edges = std::vector<std::pair<User, User>>;

// Gives out dense names in order of appearance.
class Names {
 public:
  explicit Names(World* world) : world_(world) {}

  User NameOf(UserId id) {
    const auto [entry, is_new] = names_.try_emplace(id, static_cast<User>(world_->ids.size()));
    if (is_new) world_->ids.push_back(id);
    return entry->second;
  }

 private:
  World* world_;
  absl::flat_hash_map<UserId, User> names_;
};

absl::Status ReadEdges(const std::string& path, Names* names, Edges* edges) {
  absl::StatusOr<replay::LineReader> reader = replay::LineReader::Open(path);
  if (!reader.ok()) return reader.status();
  absl::string_view line;
  while (reader->Next(&line)) {
    UserId a{};
    UserId b{};
    if (!replay::ParseUser(replay::TakeField(&line), &a) ||
        !replay::ParseUser(replay::TakeField(&line), &b)) {
      return reader->ErrorAt(reader->line_number(), "two users expected");
    }
    if (a == b) continue;
    const User name_a = names->NameOf(a);
    const User name_b = names->NameOf(b);
    edges->emplace_back(name_a, name_b);
    edges->emplace_back(name_b, name_a);
  }
  return reader->status();
}

void MakeRows(Edges edges, World* world) {
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  world->row_begin.assign(world->users() + 1, 0);
  world->friends.reserve(edges.size());
  for (const auto& [user, friend_user] : edges) {
    ++world->row_begin[user + 1];
    world->friends.push_back(friend_user);
  }
  for (std::size_t i = 1; i < world->row_begin.size(); ++i) {
    world->row_begin[i] += world->row_begin[i - 1];
  }
}

absl::Status ReadReports(const std::string& path, Names* names, World* world) {
  constexpr std::size_t kRows = 4096;
  absl::StatusOr<replay::TraceReader> reader = replay::TraceReader::Open(path);
  if (!reader.ok()) return reader.status();
  std::vector<replay::TraceRow> rows;
  do {
    if (absl::Status status = reader->Read(kRows, &rows); !status.ok()) return status;
    for (const replay::TraceRow& row : rows) {
      if (row.kind != replay::TraceRow::Kind::kReport) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ":", row.line_number, ": only reports are compared"));
      }
      world->reports.push_back({names->NameOf(row.user), row.time, row.location});
    }
  } while (!rows.empty());
  return absl::OkStatus();
}

void MakeBatches(std::int64_t batch_ms, World* world) {
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> last_batch(world->users(), kNever);
  std::int64_t end_ms = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < world->reports.size(); ++i) {
    const TraceReport& report = world->reports[i];
    const bool repeated = last_batch[report.user] + 1 == world->batch_begin.size() &&
                          last_batch[report.user] != kNever;
    if (report.time.ms >= end_ms || repeated) {
      world->batch_begin.push_back(i);
      end_ms = (report.time.ms / batch_ms + 1) * batch_ms;
    }
    last_batch[report.user] = world->batch_begin.size() - 1;
  }
  world->batch_begin.push_back(world->reports.size());
}

void AppendBigEndian(std::uint64_t value, std::size_t bytes, replay::OutputFile* file) {
  std::string text;
  for (std::size_t i = bytes; i-- > 0;) text.push_back(static_cast<char>(value >> (8 * i)));
  file->Append(text);
}

void AppendDouble(double value, replay::OutputFile* file) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  AppendBigEndian(bits, sizeof(bits), file);
}

}  // namespace

absl::StatusOr<World> LoadWorld(const std::string& friends, const std::string& trace,
                                const Pace& pace) {
  World world;
  Names names(&world);
  Edges edges;
  if (absl::Status status = ReadEdges(friends, &names, &edges); !status.ok()) return status;
  if (absl::Status status = ReadReports(trace, &names, &world); !status.ok()) return status;
  MakeRows(std::move(edges), &world);
  MakeBatches(static_cast<std::int64_t>(pace.batch_s * 1000), &world);
  const auto warm_up_ms = static_cast<std::int64_t>(pace.warm_up_s * 1000);
  while (world.first_measured_batch < world.batches() &&
         world.Batch(world.first_measured_batch)[0].time.ms <
             world.reports[0].time.ms + warm_up_ms) {
    ++world.first_measured_batch;
  }
  if (world.first_measured_batch == world.batches()) {
    return absl::InvalidArgumentError(absl::StrCat(trace, ": too short: all of it is warm-up"));
  }
  return world;
}

absl::Status ExportWorld(const World& world, const std::string& path) {
  absl::StatusOr<std::unique_ptr<replay::OutputFile>> file = replay::OutputFile::Create(path);
  if (!file.ok()) return file.status();
  const auto number = [&file](std::uint64_t value) { AppendBigEndian(value, 4, file->get()); };
  number(world.users());
  number(world.batches());
  number(world.first_measured_batch);
  for (User user = 0; user < world.users(); ++user) {
    number(world.FriendsOf(user).size());
    for (const User friend_user : world.FriendsOf(user)) number(friend_user);
  }
  for (std::size_t batch = 0; batch < world.batches(); ++batch) {
    number(world.Batch(batch).size());
    for (const TraceReport& report : world.Batch(batch)) {
      number(report.user);
      AppendDouble(report.location.lat * capacity::kRadiansPerDegree, file->get());
      AppendDouble(report.location.lng * capacity::kRadiansPerDegree, file->get());
    }
  }
  return (*file)->Commit();
}

}  // namespace peers
