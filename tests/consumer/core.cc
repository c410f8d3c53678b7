// Two friends meet: enough of nearby to compile against its main headers and to link all of its
// floors.

#include <cstddef>
#include <cstdio>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/lockstep.h"
#include "nearby/time.h"

namespace {

using nearby::UserId;

absl::Status Meet(nearby::Lockstep& shards) {
  const UserId alice{1};
  const UserId bob{2};
  const nearby::Time now = nearby::Time::Millis(1'000);
  absl::Status status = shards.Befriend(alice, bob);
  status.Update(shards.Advance(now));
  for (const UserId user : {alice, bob}) {
    nearby::ConnectRequest request;
    request.user = user;
    status.Update(shards.Connect(request));
    status.Update(ToStatus(shards.Report(user, nearby::LatLng{48.137, 11.575}, now)));
  }
  return status;
}

int Run() {
  nearby::Lockstep::Options options;
  options.shards = 2;
  absl::StatusOr<std::unique_ptr<nearby::Lockstep>> shards = nearby::Lockstep::Create(options);
  const absl::Status status = shards.ok() ? Meet(**shards) : shards.status();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  const std::size_t enters = (*shards)->deliveries().size();
  std::printf("%zu friends entered\n", enters);
  return enters == 2 ? 0 : 1;
}

}  // namespace

int main() { return Run(); }
