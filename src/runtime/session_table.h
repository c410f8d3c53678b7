#ifndef NEARBY_SRC_RUNTIME_SESSION_TABLE_H_
#define NEARBY_SRC_RUNTIME_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "nearby/ids.h"
#include "nearby/session_directory.h"
#include "src/runtime/outbox.h"

namespace nearby::internal {

// A session as the runtime knows it.
struct Session {
  enum class State : std::uint8_t {
    kFree,
    kConnecting,  // not answered: the host knows of no session yet
    kOpen,
  };

  UserId user{};
  std::uint64_t cookie = 0;  // the host's
  ClientHandle client;
  Epoch epoch{};                   // where there are other nodes
  std::unique_ptr<Outbox> outbox;  // while something waits
  State state = State::kFree;
  bool is_busy = false;   // the host has a batch and has not called Ready
  bool is_dirty = false;  // listed among those to look at after the batch
};

// The sessions of one shard. The engine's cookie for a client is the session's index here, so that
// a delivery leads to its session without a look-up.
//
// Thread-compatible. Cost: some 60 bytes a session.
class SessionTable {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xFFFFFFFFu;

  Index Add(UserId user, std::uint64_t cookie) {
    Index index = 0;
    if (free_.empty()) {
      index = static_cast<Index>(sessions_.size());
      sessions_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Session& session = sessions_[index];
    session.user = user;
    session.cookie = cookie;
    session.state = Session::State::kConnecting;
    return index;
  }

  // Once the engine has given its handle. A replaced session of the same user has the same slot:
  // the slot leads to the new one from here on.
  void Bind(Index index, ClientHandle client) {
    sessions_[index].client = client;
    if (ToInt(client.slot) >= by_slot_.size()) by_slot_.resize(ToInt(client.slot) + 1, kNone);
    by_slot_[ToInt(client.slot)] = index;
  }

  void Remove(Index index) {
    Session& session = sessions_[index];
    const std::uint32_t slot = ToInt(session.client.slot);
    if (slot < by_slot_.size() && by_slot_[slot] == index) by_slot_[slot] = kNone;
    session = Session();
    free_.push_back(index);
  }

  Session& operator[](Index index) { return sessions_[index]; }
  const Session& operator[](Index index) const { return sessions_[index]; }

  // The session of a handle, or kNone if it has ended.
  Index Find(ClientHandle client) const {
    const std::uint32_t slot = ToInt(client.slot);
    if (slot >= by_slot_.size() || by_slot_[slot] == kNone) return kNone;
    return sessions_[by_slot_[slot]].client == client ? by_slot_[slot] : kNone;
  }

  // Sessions in use.
  std::size_t size() const { return sessions_.size() - free_.size(); }
  // One past the largest index ever given.
  std::size_t limit() const { return sessions_.size(); }

 private:
  std::vector<Session> sessions_;
  std::vector<Index> free_;
  std::vector<Index> by_slot_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_SESSION_TABLE_H_
