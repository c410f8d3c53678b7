#ifndef NEARBY_TESTING_SIMULATED_FAULT_OPTIONS_H_
#define NEARBY_TESTING_SIMULATED_FAULT_OPTIONS_H_

#include <cstdint>

#include "nearby/export.h"
#include "nearby/testing/simulated_random.h"

namespace nearby {

/// How fast a simulated world is, and what goes wrong in it how often. As it is, nothing does.
///
///   SimulatedFaultOptions options;
///   options.transport.server_crash = 0.01;   // each server every 100 s
///   options.sessions.unknown = 0.02;         // one call in 50
///
/// Members of type double are probabilities, 0 to 1: of each call or message, or, where it says
/// "a second", of each second. What is marked "breaks" breaks a clause of the interface's contract,
/// on purpose, as real services do; the rest are hardships that a contract allows.
///
/// A value.
struct NEARBY_API SimulatedFaultOptions {
  /// What SimulatedTransport does. Clauses are those of `Transport`.
  struct Transport {
    /// Of each direction of each link between a node and a server: drawn once.
    SimulatedDelay latency{1, 5};
    /// Added to it, for each message and call anew.
    SimulatedDelay jitter{0, 3};
    /// Calls that complete before they return, where nothing is under way before them.
    double complete_inline = 0;
    /// A message takes that much longer, and those behind it on its channel as well.
    double delay_message = 0;
    SimulatedDelay message_delay{200, 20'000};
    /// A completion comes that much later than it could.
    double delay_completion = 0;
    SimulatedDelay completion_delay{200, 20'000};
    /// A call does nothing and completes `Unavailable` or, Publish only, `ResourceExhausted`.
    double refuse_publish = 0;
    double refuse_subscribe = 0;
    /// A call does what it should, and completes `Unavailable` or `DeadlineExceeded`.
    double unknown_publish = 0;
    double unknown_subscribe = 0;

    /// Of each link, a second: it breaks, and what is under way on it is lost.
    double break_link = 0;
    /// Of each server, a second: it goes down, and forgets all subscriptions.
    double server_crash = 0;
    SimulatedDelay server_down{100, 30'000};
    /// Of each link, a second: nothing comes through, in one direction or in both. What is sent
    /// meanwhile comes once it has healed, unless the link is given up before.
    double partition_link = 0;
    SimulatedDelay partition{100, 60'000};
    /// Of partitions: in one direction only, either of them.
    double one_way = 0.3;
    /// How long nothing must come through until the link is given up.
    SimulatedDelay link_timeout{5'000, 15'000};
    /// How long after a link has broken the node notices.
    SimulatedDelay loss_notice{0, 3'000};

    /// Breaks 6: a message does not reach one of its subscribers.
    double drop_message = 0;
    /// Breaks 6: it reaches one of them twice, the second time after this.
    double duplicate_message = 0;
    SimulatedDelay duplicate_delay{0, 5'000};
    /// Breaks 8: it comes that much later, and those behind it do not wait for it.
    double reorder_message = 0;
    SimulatedDelay reorder_delay{1, 5'000};
  };

  /// What each of the simulated stores does.
  struct Store {
    /// Of each call, to the store and back: each takes half, or a part of it at random.
    SimulatedDelay latency{1, 20};
    /// Calls that are carried out and complete before they return.
    double complete_inline = 0;
    double delay_answer = 0;
    SimulatedDelay answer_delay{200, 30'000};
    /// A call does nothing and fails, with `Unavailable`, `DeadlineExceeded` or
    /// `ResourceExhausted`.
    double fail = 0;
    /// It is carried out, and fails with `Unavailable` or `DeadlineExceeded`.
    double unknown = 0;
    /// A batch is carried out user by user, at instants of their own, and one that fails, or is cut
    /// off, in part. Not a Claim, which is whole (SessionDirectory 11).
    double split_batch = 0;
    /// Of the store, a second: nobody reaches it. A call then fails with `Unavailable`.
    double outage = 0;
    SimulatedDelay outage_duration{100, 60'000};
    /// Of each node, a second: it does not reach the store, or hears nothing from it, or both. A
    /// call then fails with `DeadlineExceeded`, after this.
    double partition = 0;
    SimulatedDelay partition_duration{100, 60'000};
    double one_way = 0.3;
    SimulatedDelay deadline{1'000, 5'000};

    /// Breaks 1: a call is carried out or not, and its `done` is kept uncalled.
    double lose_answer = 0;
    /// Breaks none where the store may forget (LocationStore 7): Read answers as of a while ago.
    /// Only of the location store; with it off, a Read sees all that was written before.
    double stale_read = 0;
    SimulatedDelay staleness{1, 10'000};
  };

  /// What SimulatedRingSource does. All of it keeps the contract.
  struct Ring {
    /// From the authority to each node.
    SimulatedDelay latency{1, 500};
    /// News come that much later.
    double delay_news = 0;
    SimulatedDelay news_delay{500, 30'000};
    /// News of a ring get lost if there are newer ones before they arrive.
    double skip_version = 0;
    /// Of each node, a second: it hears of nothing for a while.
    double lose_touch = 0;
    SimulatedDelay out_of_touch{1'000, 60'000};
  };

  /// What `SimulatedFaults` does to the clocks that are registered with it.
  struct Clocks {
    /// Of each clock, a second: it is put forward, or back.
    double shift = 0;
    SimulatedDelay shift_by{-2'000, 2'000};
    /// Of each clock, a second: it gets another drift. Breaks clause 6 of `SessionDirectory`.
    double change_drift = 0;
    std::int64_t max_drift_ppm = 200;
  };

  Transport transport;
  Store locations;
  Store friends;
  Store history;
  Store sessions;
  Ring ring;
  Clocks clocks;

  /// The same world at the same pace, with nothing going wrong and no call completed inline.
  SimulatedFaultOptions Quiet() const;

  /// What a run might be like: each hardship is left out as likely as not, and otherwise has a
  /// probability drawn from a wide range, so that runs differ in kind. What breaks a contract is
  /// only among them if asked for.
  static SimulatedFaultOptions Draw(SimulatedRandom* random, bool breaks_contracts);
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_FAULT_OPTIONS_H_
