#ifndef NEARBY_SRC_CLUSTER_COURIER_H_
#define NEARBY_SRC_CLUSTER_COURIER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "nearby/cluster_stats.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// Carries letters from one life of a node to one of another: in order, each once, however many of
// the payloads that bear them are lost, doubled or late; unless one of the two lives ends, after
// which what was not acknowledged may or may not have arrived.
//
// As TCP does it: batches are numbered, the receiver takes the next one only and acknowledges all
// up to it, the sender repeats what has not been acknowledged in time. A connection begins with
// batch 1 of a life to a life; there is nothing to set up.
//
// Thread-compatible. It calls nothing but its actions.
class Courier {
 public:
  struct Options {
    std::size_t max_unacknowledged = 0;  // events, to one life
    std::size_t max_payload = 0;
  };

  struct Actions {
    std::function<void(NodeId node, absl::string_view payload)> publish;
    // An event has arrived.
    std::function<void(const NodeLease& from, const NodeEvent& event)> receive;
  };

  Courier(const Options& options, Backoff backoff, Actions actions);

  // Under which it sends; everything to and from the life before is forgotten.
  void Begin(const NodeLease& self);

  // False if too much waits for that life and the event is one that can be made up for. Of those
  // that cannot, the last of its kind about each user waits then until there is room; so their
  // number is that of users connected there, and of those here who have jumped. Changes and answers
  // to them are taken in any case: how many of them there are, those who make them limit.
  bool Send(const NodeLease& to, const NodeEvent& event);
  // A payload of this node's inbox.
  void OnPayload(absl::string_view payload);
  // Those lives have ended: forgets what is for them.
  void OnEnded(const std::vector<NodeLease>& ended);
  // Lives that something waits for, or that something has come from.
  void AppendPeers(std::vector<NodeLease>* peers) const;
  // Whether all that was sent has been acknowledged, and all that has come.
  bool is_idle() const;

  // Sends what has gathered, and repeats what is due.
  void Poll(Time now);
  Time next_event() const { return next_event_; }

  void AddTo(ClusterStats* stats) const { *stats += counts_; }

 private:
  struct Batch {
    std::uint64_t sequence = 0;
    std::vector<NodeEvent> events;
  };

  struct Peer {
    // To it.
    std::deque<NodeEvent> unsent;
    std::deque<Batch> unacknowledged;
    std::size_t unacknowledged_events = 0;  // in both
    // Without room among these.
    absl::btree_map<std::pair<UserId, NodeEvent::Kind>, NodeEvent> waiting;
    std::uint64_t last_sent = 0;
    std::uint32_t attempts = 0;
    Time repeat_at = kNever;
    std::uint64_t repeated_up_to = 0;  // since something was last missed
    std::uint64_t window = 1;          // batches that may be repeated at once
    // From it.
    std::uint64_t last_received = 0;
    bool owes_answer = false;
  };

  bool HasRoom(const Peer& peer) const {
    return peer.unacknowledged_events < options_.max_unacknowledged;
  }
  void Add(Peer* peer, const NodeEvent& event);
  void Acknowledge(Peer* peer, std::uint64_t up_to);
  void SendNew(const NodeLease& to, Peer* peer);
  void Repeat(const NodeLease& to, Peer* peer, Time now);
  // Whether something has been repeated.
  bool RepeatWindow(const NodeLease& to, Peer* peer);
  void Publish(const NodeLease& to, const Peer& peer, std::uint64_t sequence,
               const std::vector<NodeEvent>& events);

  const Options options_;
  const std::size_t max_events_;  // of one batch
  Backoff backoff_;
  const Actions actions_;
  NodeLease self_;
  absl::btree_map<NodeLease, Peer> peers_;
  NodeEncoder encoder_;
  NodeDecoder decoder_;
  NodeBatch outgoing_;
  NodeBatch incoming_;
  std::string payload_;
  Time next_event_ = kNever;
  bool has_news_ = false;  // to send
  ClusterStats counts_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_COURIER_H_
