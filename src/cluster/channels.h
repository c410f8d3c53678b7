#ifndef NEARBY_SRC_CLUSTER_CHANNELS_H_
#define NEARBY_SRC_CLUSTER_CHANNELS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/cluster_stats.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// Keeps one shard's subscriptions where the ring says: subscribes to the channels that are wanted
// at their owners, again when a link is lost, at the new owner when the ring changes.
//
// A channel that the ring moves is listened to at both owners until the new one has acknowledged
// and `ring_settle` has passed. What is subscribed to anew is paced, channels with a friend in
// sight first. A server that fails is tried with one channel at a time, at growing intervals, until
// it answers; these, and the others that follow then, keep to the same pace, be they new or not.
//
// Thread-compatible. It calls nothing but its actions.
class Channels {
 public:
  struct Options {
    double max_resubscribes_per_second = 0;
    std::size_t max_in_flight = 0;
    std::int64_t timeout_ms = 0;
    std::int64_t settle_ms = 0;
  };

  struct Actions {
    // Answered by OnSubscribed with the same number.
    std::function<void(absl::string_view server, Channel channel, std::uint64_t number)> subscribe;
    std::function<void(absl::string_view server, Channel channel)> unsubscribe;
    // Whether the channel is one of those to be subscribed to first.
    std::function<bool(Channel channel)> is_urgent;
  };

  Channels(const Options& options, Backoff backoff, Actions actions);

  void Want(Channel channel);
  void Unwant(Channel channel);
  bool IsWanted(Channel channel) const;
  // Whether whatever is published to the channel, by those who know the ring, arrives.
  bool IsLive(Channel channel) const;

  void SetRing(RingSource::Ring ring);
  void OnSubscribed(std::uint64_t number, const absl::Status& status, Time now);
  void OnLinkLost(absl::string_view name);
  // Something has come for the channel from a server where it should not be subscribed to.
  void OnStray(absl::string_view name, Channel channel);

  // Does what there is to do.
  void Poll(Time now);
  Time next_event() const { return next_event_; }

  // Channels whose subscription has been answered, well or not, since the last call: what was
  // published to them meanwhile is to be made up for.
  std::vector<Channel> TakeAnswered() { return std::exchange(answered_, {}); }

  void AddTo(ClusterStats* stats) const;

  // Entries of all queues, and servers known: for tests of their limits.
  std::size_t queued() const;
  std::size_t servers() const { return servers_.size(); }

 private:
  using ServerId = std::uint32_t;
  static constexpr ServerId kNoServer = 0xFFFFFFFFu;

  enum class State : std::uint8_t {
    kWaiting,  // for its turn, its server or a ring
    kPending,  // the owner has been asked
    kLive,     // and has acknowledged
  };

  // A former owner that is still listened to. It may be the owner again, until it has acknowledged
  // that.
  struct Former {
    ServerId server = kNoServer;
    Time until = kNever;  // kNever: the new one has not acknowledged yet
  };

  struct Entry {
    ServerId server = kNoServer;  // the owner
    State state = State::kWaiting;
    bool is_paced = false;      // it has been asked for before, or its server has failed
    bool may_be_there = false;  // a call that failed, or an earlier one, may have subscribed to it
    std::uint64_t number = 0;   // of the call under way
    std::size_t place = 0;      // in all_
    absl::InlinedVector<Former, 1> formers;
  };

  struct Server {
    std::string name;
    std::uint32_t failures = 0;
    Time retry_at{-kMaxTimeMs};
    bool is_probed = false;        // one channel has been asked for, to see whether it is back
    std::vector<Channel> waiting;  // until it is back
  };

  struct Pending {
    Channel channel;
    ServerId server = kNoServer;
  };

  // More than this, where each channel has its place, is what was let go of.
  std::size_t MaxQueued() const { return 2 * entries_.size() + 1024; }
  ServerId Intern(absl::string_view name);
  ServerId FindServer(absl::string_view name) const;
  ServerId OwnerOf(Channel channel);
  void LeaveOwner(Channel channel, Entry* entry);
  static bool IsFormer(const Entry& entry, ServerId server);
  static void RemoveFormer(Entry* entry, ServerId server);
  void Enqueue(Channel channel, const Entry& entry);
  // Adds to one of the queues. Who has been let go of, or is in it twice, is taken out before it
  // outgrows the channels.
  template <typename Queue>
  void AddToQueue(Queue* queue, Channel channel);
  // The next channel whose turn it is, by urgency; false if there is none.
  bool Next(Channel* channel);
  void BeginSubscribing(Time now);
  // Asks the owner, or leaves the channel waiting with it.
  void Subscribe(Channel channel, Entry* entry, Time now);
  void Fail(ServerId server, Channel channel);
  // The server has answered: whoever waited for it need not any more.
  void Recover(ServerId server);
  void ProbeServers(Time now);
  void AddCredit(Time now);
  // What may come at once: a tenth of a second's worth, by which a late poll makes up for its
  // delay. And what comes in a millisecond after it, so that the two together stay within the pace
  // in any second: the one more would come just as that ends.
  double Burst() const { return std::max(1.0, options_.max_resubscribes_per_second / 10); }
  double PerMs() const { return (options_.max_resubscribes_per_second + 1 - Burst()) / 1000; }
  // When the next that is paced may be asked for.
  Time NextPaced(Time now) const;
  bool HasRoom() const { return pending_.size() < options_.max_in_flight; }
  void TimeOut(Time now);
  void AddTimeout(Time at, std::uint64_t number);
  // Servers that no ring names any more and nothing is under way with.
  void ForgetServers();
  void DropFormers(Time now);
  void AddToAll(Channel channel, Entry* entry);
  void RemoveFromAll(std::size_t place);
  // Looks where the ring has some more channels.
  void MoveSome();
  void Move(Channel channel, Entry* entry);
  void SetNextEvent(Time now);

  const Options options_;
  Backoff backoff_;
  const Actions actions_;

  RingSource::Ring ring_;
  std::vector<Server> servers_;
  absl::flat_hash_map<std::string, ServerId> server_ids_;
  std::vector<ServerId> free_servers_;  // their places in servers_ are nobody's
  absl::flat_hash_map<Channel, Entry> entries_;
  // The channels wanted, so that a pass over all of them can be made in parts. Those before
  // moved_up_to_ are where the ring has them.
  std::vector<Channel> all_;
  std::size_t moved_up_to_ = 0;

  std::deque<Channel> urgent_;
  std::deque<Channel> first_;  // not paced
  std::deque<Channel> again_;
  double credit_ = 0;        // paced subscriptions that may be asked for at once
  bool has_probed_ = false;  // the last that was paid for tried a server
  Time credit_time_{-kMaxTimeMs};

  std::uint64_t next_number_ = 1;
  absl::flat_hash_map<std::uint64_t, Pending> pending_;
  std::deque<std::pair<Time, std::uint64_t>> timeouts_;
  std::deque<std::pair<Time, Channel>> settling_;  // with a former that goes at that time
  std::vector<Channel> answered_;
  std::uint64_t live_ = 0;
  Time next_event_ = kNever;
  ClusterStats counts_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_CHANNELS_H_
