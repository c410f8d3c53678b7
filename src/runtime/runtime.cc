#include "nearby/runtime.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "src/runtime/runtime_impl.h"

namespace nearby {

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Create(const RuntimeOptions& options,
                                                         RuntimeHost host) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  if (host.sink == nullptr || host.friends == nullptr || host.clock == nullptr) {
    return absl::InvalidArgumentError("a runtime needs a sink, a friend store and a clock");
  }
  auto impl = std::make_unique<Impl>(options, std::move(host));
  if (absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() { impl_->Shutdown(); }

std::uint32_t Runtime::shard_count() const { return impl_->shard_count(); }
absl::Duration Runtime::Poll(ShardId shard) { return impl_->Poll(shard); }
absl::Duration Runtime::PollAll() { return impl_->PollAll(); }
void Runtime::Run(ShardId shard) { impl_->Run(shard); }
void Runtime::Stop() { impl_->Stop(); }

void Runtime::Connect(const ConnectCall& call, ConnectDone done) {
  impl_->Connect(call, std::move(done));
}
void Runtime::Disconnect(SessionId session) { impl_->Disconnect(session); }
void Runtime::Ready(SessionId session) { impl_->Ready(session); }
absl::Status Runtime::Report(const SessionReport& report) { return impl_->Report(report); }
std::size_t Runtime::ReportAll(absl::Span<const SessionReport> reports) {
  return impl_->ReportAll(reports);
}
void Runtime::SetRadius(SessionId session, double radius_m, Done done) {
  impl_->SetRadius(session, radius_m, std::move(done));
}
void Runtime::Nearby(UserId user, PageToken after, std::size_t page_size, NearbyDone done) {
  impl_->Nearby(user, after, page_size, std::move(done));
}

void Runtime::Edit(const FriendEdit& edit, EditDone done) { impl_->Edit(edit, std::move(done)); }
void Runtime::Apply(const FriendshipChange& change, Done done) {
  impl_->Apply(change, std::move(done));
}

void Runtime::Drain(Done done) { impl_->Drain(std::move(done)); }
RuntimeStats Runtime::stats() const { return impl_->stats(); }
absl::Status Runtime::CheckInvariants() const { return impl_->CheckInvariants(); }

}  // namespace nearby
