#ifndef NEARBY_TESTS_CLUSTER_SEVERED_DIRECTORY_H_
#define NEARBY_TESTS_CLUSTER_SEVERED_DIRECTORY_H_

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"

namespace nearby::test {

/// One node's way to a directory that others share: while it is severed, all calls fail, and
/// releases or claims may fail alone.
///
/// Thread-safe.
class SeveredDirectory : public SessionDirectory {
 public:
  explicit SeveredDirectory(SessionDirectory* behind) : behind_(behind) {}

  void Sever(bool is_severed) { is_severed_ = is_severed; }
  void LoseReleases() { loses_releases_ = true; }
  void LoseClaims(bool is_lost) { loses_claims_ = is_lost; }

  void BeginLease(NodeId node, absl::Duration duration, LeaseDone done) override {
    if (is_severed_) return done(Severed());
    behind_->BeginLease(node, duration, std::move(done));
  }
  void RenewLease(const NodeLease& lease, absl::Duration duration, Done done) override {
    if (is_severed_) return done(Severed());
    behind_->RenewLease(lease, duration, std::move(done));
  }
  void EndLease(const NodeLease& lease, Done done) override {
    if (is_severed_) return done(Severed());
    behind_->EndLease(lease, std::move(done));
  }
  void Claim(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done) override {
    if (is_severed_ || loses_claims_) return done(Severed());
    behind_->Claim(lease, users, std::move(done));
  }
  void Release(const NodeLease& lease, absl::Span<const Session> sessions, Done done) override {
    if (is_severed_ || loses_releases_) return done(Severed());
    behind_->Release(lease, sessions, std::move(done));
  }
  void Lookup(absl::Span<const UserId> users, LookupDone done) override {
    if (is_severed_) return done(Severed());
    behind_->Lookup(users, std::move(done));
  }
  void FindEnded(absl::Span<const NodeLease> leases, EndedDone done) override {
    if (is_severed_) return done(Severed());
    behind_->FindEnded(leases, std::move(done));
  }
  std::size_t max_holders() const override { return behind_->max_holders(); }

 private:
  static absl::Status Severed() { return absl::UnavailableError("severed"); }

  SessionDirectory* const behind_;
  std::atomic<bool> is_severed_{false};
  std::atomic<bool> loses_releases_{false};
  std::atomic<bool> loses_claims_{false};
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_CLUSTER_SEVERED_DIRECTORY_H_
