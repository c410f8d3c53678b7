#include "examples/phones/sight_log.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace phones {

absl::StatusOr<std::unique_ptr<SightLog>> SightLog::Open(const std::string& path,
                                                         const SightCheck::Options& options,
                                                         const Fleet* fleet, std::size_t servers) {
  File file(std::fopen(path.c_str(), "w"));
  if (file == nullptr) {
    return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  std::string header = "# time\tonline\tright\tacross\tmissing\textra\tstale\tleft_out";
  for (std::size_t i = 0; i < servers; ++i) absl::StrAppend(&header, "\tserver_", i);
  absl::StrAppend(&header, "\texample");
  std::fprintf(file.get(), "%s\n", header.c_str());
  return std::unique_ptr<SightLog>(new SightLog(std::move(file), options, fleet, servers));
}

void SightLog::Look(std::int64_t now_us) {
  const SightCheck::Result result = check_.Look(now_us);
  std::vector<std::size_t> at(servers_);
  for (std::size_t phone = 0; phone < fleet_->size(); ++phone) {
    const std::optional<std::size_t> server = fleet_->server_of(phone);
    if (server.has_value()) ++at[*server];
  }
  std::string line =
      absl::StrFormat("%d.%03d\t%d\t%d\t%d\t%d\t%d\t%d\t%d", now_us / 1'000'000,
                      now_us / 1000 % 1000, fleet_->online(), result.right, result.across,
                      result.missing, result.extra, result.stale, result.left_out);
  for (const std::size_t count : at) absl::StrAppend(&line, "\t", count);
  absl::StrAppend(&line, "\t", result.example);
  // Whole lines, at once: somebody reads along.
  std::fprintf(file_.get(), "%s\n", line.c_str());
  std::fflush(file_.get());
}

}  // namespace phones
