#include "examples/replay/gowalla.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/replay/fields.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/line_reader.h"
#include "examples/replay/population.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace replay {
namespace {

using PlaceMap = absl::flat_hash_map<std::uint64_t, UnitVector>;

struct Visit {
  std::uint64_t user = 0;
  std::uint64_t place = 0;
  double times = 0;
};

// Calls `parse` with each line; a message from it, if not empty, says what is wrong with the line.
template <typename Parse>
absl::Status ForEachLine(const std::string& path, const Parse& parse) {
  absl::StatusOr<LineReader> reader = LineReader::Open(path);
  if (!reader.ok()) return reader.status();
  absl::string_view line;
  while (reader->Next(&line)) {
    const std::string wrong = parse(line);
    if (!wrong.empty()) return reader->ErrorAt(reader->line_number(), wrong);
  }
  return reader->status();
}

// Takes an id off the line; returns what is wrong with it.
std::string TakeId(absl::string_view what, absl::string_view* line, std::uint64_t* id) {
  const absl::string_view field = TakeField(line);
  nearby::UserId parsed{};
  if (!ParseUser(field, &parsed)) return absl::StrCat("not a ", what, ": ", Quoted(field));
  *id = nearby::ToInt(parsed);
  return "";
}

absl::Status ReadPlaces(const std::string& path, PlaceMap* places) {
  return ForEachLine(path, [&](absl::string_view line) -> std::string {
    std::uint64_t id = 0;
    if (std::string wrong = TakeId("place", &line, &id); !wrong.empty()) return wrong;
    nearby::LatLng point;
    if (!ParseNumber(TakeField(&line), &point.lat) || !ParseNumber(TakeField(&line), &point.lng)) {
      return "expected: place lat lng";
    }
    if (absl::Status valid = nearby::Validate(point); !valid.ok()) {
      return std::string(valid.message());
    }
    (*places)[id] = ToUnitVector(point);
    return "";
  });
}

absl::Status ReadVisits(const std::string& path, const PlaceMap& places,
                        std::vector<Visit>* visits) {
  return ForEachLine(path, [&](absl::string_view line) -> std::string {
    Visit visit;
    if (std::string wrong = TakeId("user", &line, &visit.user); !wrong.empty()) return wrong;
    if (std::string wrong = TakeId("place", &line, &visit.place); !wrong.empty()) return wrong;
    if (!places.contains(visit.place)) return absl::StrCat("unknown place ", visit.place);
    const absl::string_view times = TakeField(&line);
    if (!ParseNumber(times, &visit.times) || visit.times <= 0) {
      return absl::StrCat("not a number of visits: ", Quoted(times));
    }
    visits->push_back(visit);
    return "";
  });
}

absl::Status ReadFriendships(const std::string& path, Population* population) {
  auto& friendships = population->friendships;
  absl::Status status = ForEachLine(path, [&](absl::string_view line) -> std::string {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (std::string wrong = TakeId("user", &line, &a); !wrong.empty()) return wrong;
    if (std::string wrong = TakeId("user", &line, &b); !wrong.empty()) return wrong;
    if (a != b) {
      friendships.emplace_back(nearby::UserId{std::min(a, b)}, nearby::UserId{std::max(a, b)});
    }
    return "";
  });
  std::sort(friendships.begin(), friendships.end());
  friendships.erase(std::unique(friendships.begin(), friendships.end()), friendships.end());
  return status;
}

// One person a user and one place a pair, in order of ids: the same people whatever the order of
// lines.
void Settle(std::vector<Visit> visits, const PlaceMap& places, Population* population) {
  std::sort(visits.begin(), visits.end(), [](const Visit& a, const Visit& b) {
    return std::pair(a.user, a.place) < std::pair(b.user, b.place);
  });
  const Visit* last = nullptr;
  for (const Visit& visit : visits) {
    const bool same_user = last != nullptr && last->user == visit.user;
    if (!same_user) population->people.push_back({nearby::UserId{visit.user}, {}});
    std::vector<Place>& own = population->people.back().places;
    if (same_user && last->place == visit.place) {
      own.back().weight += visit.times;
    } else {
      own.push_back({places.at(visit.place), visit.times});
    }
    last = &visit;
  }
}

}  // namespace

absl::StatusOr<Population> LoadGowalla(const std::string& directory) {
  const auto path = [&](absl::string_view name) {
    return absl::StrCat(directory, "/", name, ".txt.gz");
  };
  Population population;
  absl::Status status = ReadFriendships(path("socialRelations"), &population);
  if (!status.ok()) return status;
  PlaceMap places;
  status = ReadPlaces(path("poiCoos"), &places);
  if (!status.ok()) return status;
  std::vector<Visit> visits;
  for (const absl::string_view name : {"train", "tune", "test"}) {
    status = ReadVisits(path(name), places, &visits);
    if (!status.ok()) return status;
  }
  Settle(std::move(visits), places, &population);
  if (population.people.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": nobody visits anything"));
  }
  return population;
}

}  // namespace replay
