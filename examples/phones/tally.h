#ifndef EXAMPLES_PHONES_TALLY_H_
#define EXAMPLES_PHONES_TALLY_H_

#include <cstdint>
#include <string>
#include <utility>

#include "examples/phones/violations.h"

namespace phones {

/// What phones did and were told, counted. Plain data.
struct Tally {
  // What they said.
  std::uint64_t reports = 0;     ///< Location reports, those of init not among them.
  std::uint64_t calls = 0;       ///< Everything else.
  std::uint64_t bytes_sent = 0;  ///< Of messages, without what WebSocket and TCP add.

  // What they heard.
  std::uint64_t frames = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t enters = 0;  ///< The friends in answers to init among them.
  std::uint64_t moves = 0;
  std::uint64_t leaves = 0;
  std::uint64_t resets = 0;
  std::uint64_t resyncs = 0;
  std::uint64_t drains = 0;  ///< Requests to connect elsewhere.

  // What was wrong.
  std::uint64_t refusals = 0;  ///< Errors that say "not now": overload, a server that goes away.
  std::uint64_t errors = 0;    ///< All others.
  std::string first_error;
  Violations violations;

  // Connections.
  std::uint64_t sessions = 0;         ///< Inits answered.
  std::uint64_t reconnects = 0;       ///< Those of them that were not the phone's first.
  std::uint64_t drops = 0;            ///< Connections that ended unasked.
  std::uint64_t failed_connects = 0;  ///< Attempts that came to nothing.

  std::uint64_t events() const { return enters + moves + leaves; }

  void AddError(std::string error) {
    ++errors;
    if (first_error.empty()) first_error = std::move(error);
  }

  void Add(const Tally& other);
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_TALLY_H_
