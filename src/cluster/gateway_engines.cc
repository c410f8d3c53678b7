#include <algorithm>

#include "absl/time/time.h"
#include "src/base/planted_bugs.h"
#include "src/cluster/gateway.h"

namespace nearby::internal {

void Gateway::Take(const PeerMessage& message) {
  if (!has_lease()) {
    // Whoever asks for somebody's whereabouts is to know that there are none.
    if (message.kind == PeerMessage::Kind::kSubscribe) {
      services_.deliver(About(message.user, PeerMessage::Kind::kOffline, message.from));
    }
    return;
  }
  switch (message.kind) {
    case PeerMessage::Kind::kAnnounce:
    case PeerMessage::Kind::kAnnounceBack:
      TakeAnnouncement(message);
      break;
    case PeerMessage::Kind::kSubscribe:
      TakeSubscribe(message);
      break;
    case PeerMessage::Kind::kUnsubscribe:
      TakeUnsubscribe(message);
      break;
    case PeerMessage::Kind::kPark:
      TakePark(message);
      break;
    case PeerMessage::Kind::kLocation:
    case PeerMessage::Kind::kHere:
    case PeerMessage::Kind::kOffline:
      break;  // Nobody elsewhere subscribes to an engine.
  }
}

// Where the friend is connected, if anywhere, the directory knows. It is asked anew each time: what
// was found before says nothing of whoever has connected since, and two who connect at the same
// time find each other only if each looks after having been entered.
void Gateway::TakeAnnouncement(const PeerMessage& message) {
  if (!locals_.contains(message.user)) return;
  if (!lookups_.Ask(message.friend_id)) {
    ++counts_.queries_refused;
    to_reload_.insert(message.user);
    return;
  }
  std::vector<Question>& questions = questions_[message.friend_id];
  const auto same = std::find_if(questions.begin(), questions.end(), [&](const Question& other) {
    return other.announcement.user == message.user && other.announcement.kind == message.kind;
  });
  if (same != questions.end()) {
    // An answer to an announcement that was late may come behind one to a newer, and is no use to
    // whoever has made that.
    if (message.version >= same->announcement.version) same->announcement = message;
    same->after = lookups_.number();
  } else {
    questions.push_back({message, lookups_.number()});
  }
}

void Gateway::OnLookedUp(std::uint64_t number,
                         absl::StatusOr<std::vector<std::vector<SessionHolder>>> answer) {
  if (!lookups_.IsUnderWay(number)) return;
  if (!answer.ok()) {
    ++counts_.query_failures;
    lookups_.Fail(now_);
    return;
  }
  const std::vector<UserId> users = lookups_.End();
  counts_.lookups += users.size();
  for (std::size_t i = 0; i < users.size() && i < answer->size(); ++i) {
    const std::vector<SessionHolder>& holders = (*answer)[i];
    const auto found = questions_.find(users[i]);
    if (found != questions_.end()) {
      std::vector<Question>& questions = found->second;
      const auto is_answered = [number](const Question& q) {
        return q.after < number || IsPlanted(PlantedBug::kEarlierAnswerBelieved);
      };
      for (const Question& question : questions) {
        if (!is_answered(question)) continue;
        // To each: the last may be a connect that failed without anybody's knowing whether it was
        // entered.
        for (const SessionHolder& holder : holders) {
          if (IsPlanted(PlantedBug::kAnnouncedToOldestOnly) && holder != holders.front()) continue;
          if (holder.lease != lease_) Forward(question.announcement, holder);
        }
      }
      questions.erase(std::remove_if(questions.begin(), questions.end(), is_answered),
                      questions.end());
      if (questions.empty()) questions_.erase(found);
    }
    JudgeGuest(users[i], number, holders);
  }
}

void Gateway::NoteKnown(std::vector<NodeLease>* known_to, const NodeLease& lease) {
  const auto same = std::find_if(known_to->begin(), known_to->end(),
                                 [&lease](const auto& known) { return known.node == lease.node; });
  if (same == known_to->end()) {
    known_to->push_back(lease);
  } else {
    same->life = std::max(same->life, lease.life);
  }
}

void Gateway::Forward(const PeerMessage& announcement, const SessionHolder& to) {
  const auto local = locals_.find(announcement.user);
  if (local == locals_.end()) return;
  NodeEvent event;
  event.kind = announcement.kind == PeerMessage::Kind::kAnnounce ? NodeEvent::Kind::kAnnounce
                                                                 : NodeEvent::Kind::kAnnounceBack;
  event.user = announcement.user;
  event.friend_id = announcement.friend_id;
  event.friendship = announcement.friendship;
  event.version = announcement.version;
  event.session = local->second.session;
  outside_.send_letter(to.lease, event);
  // So that whoever hears of them need not ask a store that may be behind.
  if (local->second.location.session == event.session) {
    outside_.send_letter(to.lease, LocationEvent(local->second));
  }
  NoteKnown(&local->second.known_to, to.lease);
}

void Gateway::TakeSubscribe(const PeerMessage& message) {
  Guest* guest = FindGuest(message.user);
  if (guest == nullptr) {
    services_.deliver(About(message.user, PeerMessage::Kind::kOffline, message.from));
    return;
  }
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  const bool was_parked = guest->listeners != 0 && guest->listeners == guest->parked;
  const bool is_first = guest->listeners == 0;
  guest->listeners |= shard;
  guest->parked &= ~shard;
  if (guest->has_location && guest->located_in == guest->session &&
      channels_.IsLive(message.user)) {
    Tell(message.user, guest, shard, PeerMessage::Kind::kHere);
    return;
  }
  guest->waiting |= shard;
  if (is_first) {
    // The store is asked once the channel has been subscribed to, or has failed to be.
    channels_.Want(message.user);
    LookAgain(message.user, guest, Time{now_.ms + 1});
  } else if (was_parked) {
    FindAgain(message.user, guest);
  }
}

void Gateway::TakeUnsubscribe(const PeerMessage& message) {
  Guest* guest = FindGuest(message.user);
  if (guest == nullptr) return;
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  guest->listeners &= ~shard;
  guest->parked &= ~shard;
  guest->waiting &= ~shard;
  // The engine has waited before it said so: nobody has come back.
  if (guest->listeners == 0) return Drop(message.user);
  LeaveIfParked(message.user, guest);
}

void Gateway::TakePark(const PeerMessage& message) {
  Guest* guest = FindGuest(message.user);
  // What it rests on must be the last that this shard was told.
  if (guest == nullptr) return;
  if (message.sequence != guest->told && !IsPlanted(PlantedBug::kParkOnOldLocation)) return;
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  if ((guest->listeners & shard) == 0 || message.until <= now_) return;
  const Time most{now_.ms + absl::ToInt64Milliseconds(options_.max_park)};
  const Time until = std::min(message.until, most);
  guest->parked_until = guest->parked == 0 ? until : std::min(guest->parked_until, until);
  guest->parked |= shard;
  LookAgain(message.user, guest, guest->parked_until);
  LeaveIfParked(message.user, guest);
}

void Gateway::LeaveIfParked(UserId user, Guest* guest) {
  if (guest->parked != guest->listeners) return;
  guest->is_refreshing = false;
  channels_.Unwant(user);
}

}  // namespace nearby::internal
