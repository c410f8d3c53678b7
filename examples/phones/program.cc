#include "examples/phones/program.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/file_limit.h"
#include "examples/phones/credentials.h"
#include "examples/phones/flags.h"
#include "examples/phones/live_session.h"
#include "examples/phones/load_session.h"
#include "examples/phones/report.h"
#include "examples/replay/city.h"
#include "examples/replay/output_file.h"
#include "examples/replay/population.h"
#include "nearby/ids.h"

namespace phones {
namespace {

using replay::OutputFile;

absl::Status WriteFriends(const Flags& flags) {
  const absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(flags.write_friends);
  if (!file.ok()) return file.status();
  const replay::Population population = replay::MakeCity(flags.users, flags.seed);
  std::string line;
  for (const auto& [a, b] : population.friendships) {
    line.clear();
    absl::StrAppend(&line, nearby::ToInt(a), "\t", nearby::ToInt(b), "\n");
    (*file)->Append(line);
  }
  return (*file)->Commit();
}

absl::Status WriteJson(const Figures& figures, OutputFile* file) {
  if (file == nullptr) return absl::OkStatus();
  file->Append(ToJson(figures));
  return file->Commit();
}

}  // namespace

absl::Status RunProgram(const Flags& flags) {
  if (!flags.write_friends.empty()) return WriteFriends(flags);
  absl::StatusOr<Credentials> credentials =
      flags.insecure ? Credentials::Insecure() : Credentials::Load(flags.secret_file);
  if (!credentials.ok()) return absl::InvalidArgumentError(credentials.status().message());
  // Whether the figures can be written shows before there are any.
  std::unique_ptr<OutputFile> json;
  if (!flags.json.empty()) {
    absl::StatusOr<std::unique_ptr<OutputFile>> created = OutputFile::Create(flags.json);
    if (!created.ok()) return created.status();
    json = *std::move(created);
  }
  echo_server::RaiseFileLimit();
  Figures figures;
  figures.format = flags.format;
  const absl::Status run =
      flags.load ? RunLoad(flags, *credentials, &figures) : RunLive(flags, *credentials, &figures);
  std::fputs(ToSummary(figures).c_str(), stderr);
  // A server that breaks the protocol is the first thing to know; one that is gone the second.
  absl::Status status = Verdict(figures);
  status.Update(run);
  status.Update(WriteJson(figures, json.get()));
  return status;
}

}  // namespace phones
