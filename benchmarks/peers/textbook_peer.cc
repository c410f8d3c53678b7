#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/textbook.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/ids.h"

namespace peers {
namespace {

class TextbookPeer : public Peer {
 public:
  explicit TextbookPeer(const World& world) : world_(&world), textbook_(world.users()) {}

  absl::Status Connect() override {
    for (User user = 0; user < world_->users(); ++user) {
      std::vector<nearby::UserId> friends;
      friends.reserve(world_->FriendsOf(user).size());
      for (const User friend_user : world_->FriendsOf(user)) {
        friends.push_back(world_->ids[friend_user]);
      }
      textbook_.Add(world_->ids[user], /*cookie=*/user, std::move(friends));
    }
    return absl::OkStatus();
  }

  absl::Status Report(absl::Span<const TraceReport> batch,
                      std::vector<nearby::Delivery>* deliveries) override {
    for (const TraceReport& report : batch) {
      textbook_.Report({world_->ids[report.user], report.location, report.time}, report.time,
                       deliveries);
    }
    return absl::OkStatus();
  }

 private:
  const World* world_;
  capacity::Textbook textbook_;
};

}  // namespace

std::unique_ptr<Peer> MakeTextbookPeer(const World& world) {
  return std::make_unique<TextbookPeer>(world);
}

}  // namespace peers
