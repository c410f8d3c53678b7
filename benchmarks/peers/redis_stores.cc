#include "benchmarks/peers/redis_stores.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace peers {
namespace {

using nearby::UserId;

// Under way at once, so that the server need not wait for this process.
constexpr std::size_t kBatchesAtOnce = 32;
constexpr std::size_t kMadeAtOnce = 512;
// Nothing runs out while anything is measured.
constexpr absl::Duration kLongMeanwhile = absl::Hours(10);
// For each who has a session: friends on lists are mostly offline.
constexpr std::uint64_t kListedForEachOnline = 10;

}  // namespace

RedisStores::RedisStores(std::uint16_t port, std::uint32_t users) : users_(users) {
  const std::string server = absl::StrCat("127.0.0.1:", port);
  locations_ = adapters::RedisLocationStore::Create({server}).value();
  directory_ = adapters::RedisSessionDirectory::Create(server).value();
}

absl::Status RedisStores::Await(const std::vector<Users>& batches, const Ask& ask) {
  absl::BlockingCounter left(static_cast<int>(batches.size()));
  absl::Mutex mutex;
  absl::Status all;
  for (const Users& users : batches) {
    ask(users, [&](const absl::Status& status) {
      {
        const absl::MutexLock lock(&mutex);
        all.Update(status);
      }
      left.DecrementCount();
    });
  }
  left.Wait();
  return all;
}

absl::StatusOr<std::uint64_t> RedisStores::AskAboutAny(std::size_t batch, std::uint64_t among,
                                                       const Ask& ask) {
  std::vector<Users> batches(kBatchesAtOnce, Users(batch));
  for (Users& users : batches) {
    for (UserId& user : users) user = UserId{random_.Below(among)};
  }
  if (absl::Status status = Await(batches, ask); !status.ok()) return status;
  return std::uint64_t{kBatchesAtOnce} * batch;
}

RedisStores::Ask RedisStores::Writing() {
  return [this](const Users& users, std::function<void(absl::Status)> done) {
    std::vector<nearby::AcceptedLocation> locations;
    for (const UserId user : users) {
      const nearby::Time now{++now_ms_};
      locations.push_back(
          {user, nearby::Position::FromLatLng({48, 9}), now, now, nearby::Epoch{1}});
    }
    locations_->Write(locations, kLongMeanwhile, std::move(done));
  };
}

RedisStores::Ask RedisStores::Claiming() {
  return [this](const Users& users, std::function<void(absl::Status)> done) {
    directory_->Claim(lease_, users,
                      [done = std::move(done)](const auto& claimed) { done(claimed.status()); });
  };
}

absl::Status RedisStores::Begin() {
  absl::Notification begun;
  absl::Status status;
  directory_->BeginLease(nearby::NodeId{1}, kLongMeanwhile,
                         [&](absl::StatusOr<nearby::Epoch> life) {
                           status = life.status();
                           if (life.ok()) lease_ = {nearby::NodeId{1}, *life};
                           begun.Notify();
                         });
  begun.WaitForNotification();
  for (std::uint32_t user = 0; user < users_ && status.ok();) {
    std::vector<Users> batches;
    while (user < users_ && batches.size() < kBatchesAtOnce) {
      Users& users = batches.emplace_back();
      while (user < users_ && users.size() < kMadeAtOnce) users.push_back(UserId{user++});
    }
    status = Await(batches, Writing());
    if (status.ok()) status = Await(batches, Claiming());
  }
  return status;
}

absl::StatusOr<std::uint64_t> RedisStores::Write(std::size_t batch) {
  return AskAboutAny(batch, users_, Writing());
}

absl::StatusOr<std::uint64_t> RedisStores::Read(std::size_t batch) {
  return AskAboutAny(
      batch, users_, [this](const Users& users, std::function<void(absl::Status)> done) {
        locations_->Read(users,
                         [done = std::move(done)](const auto& found) { done(found.status()); });
      });
}

absl::StatusOr<std::uint64_t> RedisStores::LookUp(std::size_t batch) {
  return AskAboutAny(batch, kListedForEachOnline * users_,
                     [this](const Users& users, std::function<void(absl::Status)> done) {
                       directory_->Lookup(users, [done = std::move(done)](const auto& holders) {
                         done(holders.status());
                       });
                     });
}

absl::StatusOr<std::uint64_t> RedisStores::Claim(std::size_t batch) {
  return AskAboutAny(batch, users_, Claiming());
}

}  // namespace peers
