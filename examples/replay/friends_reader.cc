#include "examples/replay/friends_reader.h"

#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/replay/fields.h"
#include "examples/replay/line_reader.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"

namespace replay {
namespace {

using Add = absl::FunctionRef<absl::Status(nearby::UserId, nearby::UserId)>;

absl::Status AddFriendship(absl::string_view line, Add add) {
  const absl::string_view first = TakeField(&line);
  if (first.empty() || first.front() == '#') return absl::OkStatus();
  const absl::string_view second = TakeField(&line);
  if (second.empty() || !TakeField(&line).empty()) {
    return absl::InvalidArgumentError("wrong number of fields; a friendship is: user user");
  }
  nearby::UserId a{};
  nearby::UserId b{};
  for (const auto& [field, user] : {std::pair(first, &a), std::pair(second, &b)}) {
    if (!ParseUser(field, user)) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a user, an unsigned 64-bit number: ", Quoted(field)));
    }
  }
  return a == b ? absl::OkStatus() : add(a, b);
}

}  // namespace

absl::Status ReadFriends(const std::string& path, Add add) {
  absl::StatusOr<LineReader> lines = LineReader::Open(path);
  if (!lines.ok()) return lines.status();
  absl::string_view line;
  while (lines->Next(&line)) {
    if (absl::Status status = AddFriendship(line, add); !status.ok()) {
      return lines->ErrorAt(lines->line_number(), status.message());
    }
  }
  return lines->status();
}

absl::Status ReadFriends(const std::string& path, nearby::FriendGraph* graph) {
  return ReadFriends(
      path, [graph](nearby::UserId a, nearby::UserId b) { return graph->Befriend(a, b).status(); });
}

}  // namespace replay
