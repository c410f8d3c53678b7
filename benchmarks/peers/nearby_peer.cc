#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/options.h"

namespace peers {
namespace {

class NearbyPeer : public Peer {
 public:
  NearbyPeer(const World& world, bool skipping) : world_(&world) {
    options_.radius_m = kRadiusMeters;
    options_.skip_far_pairs = skipping;
    options_.connect_page_size = 0;
    options_.max_friends = 65535;
  }

  absl::Status Connect() override;
  absl::Status Report(absl::Span<const TraceReport> batch,
                      std::vector<nearby::Delivery>* deliveries) override;
  std::uint64_t checks_skipped() const override { return engine_->stats().skipped; }

 private:
  const World* world_;
  nearby::EngineOptions options_;
  std::unique_ptr<nearby::Engine> engine_;
  std::vector<nearby::ClientHandle> clients_;
  std::vector<nearby::LocationReport> reports_;
  std::vector<nearby::ReportOutcome> outcomes_;
  nearby::Effects effects_;
};

absl::Status NearbyPeer::Connect() {
  absl::StatusOr<std::unique_ptr<nearby::Engine>> engine = nearby::Engine::Create(options_);
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  absl::Status status = engine_->Advance(world_->reports[0].time, &effects_);
  clients_.reserve(world_->users());
  std::vector<nearby::FriendEntry> list;
  for (User user = 0; user < world_->users() && status.ok(); ++user) {
    const absl::StatusOr<nearby::ClientHandle> client =
        engine_->Connect({world_->ids[user], /*cookie=*/user, std::nullopt}, &effects_);
    if (!client.ok()) return client.status();
    clients_.push_back(*client);
    list.clear();
    for (const User friend_user : world_->FriendsOf(user)) {
      list.push_back({world_->ids[friend_user], nearby::Friendship{/*friends=*/true}});
    }
    status = engine_->FriendsLoaded(*client, nearby::FriendVersion{1}, list, &effects_);
    effects_.Clear();
  }
  return status;
}

absl::Status NearbyPeer::Report(absl::Span<const TraceReport> batch,
                                std::vector<nearby::Delivery>* deliveries) {
  reports_.clear();
  for (const TraceReport& report : batch) {
    reports_.push_back({clients_[report.user], report.location, report.time});
  }
  outcomes_.resize(batch.size());
  effects_.Clear();
  // The deliveries go where the caller wants them, without a copy.
  effects_.deliveries.swap(*deliveries);
  absl::Status status = engine_->Advance(batch.back().time, &effects_);
  engine_->ReportAll(reports_, outcomes_.data(), &effects_);
  effects_.deliveries.swap(*deliveries);
  for (const nearby::ReportOutcome outcome : outcomes_) {
    if (outcome != nearby::ReportOutcome::kAccepted) status.Update(nearby::ToStatus(outcome));
  }
  return status;
}

}  // namespace

std::unique_ptr<Peer> MakeNearbyPeer(const World& world, bool skipping) {
  return std::make_unique<NearbyPeer>(world, skipping);
}

}  // namespace peers
