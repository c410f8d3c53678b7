#ifndef NEARBY_SRC_BASE_PLANTED_BUGS_H_
#define NEARBY_SRC_BASE_PLANTED_BUGS_H_

#include <cstddef>
#include <cstdint>

// Mistakes that somebody could make, each where it could be made, to prove that the simulator
// (tests/sim) finds what it is for. They exist only where NEARBY_PLANTED_BUGS is defined, which is
// in the simulator's own copy of some sources; the library has neither the code nor the cost.

namespace nearby {

enum class PlantedBug : std::uint8_t {
  kNone,

  // Channels.
  kLinkLossIgnored,          // a link is lost, and nothing is subscribed to again
  kResubscribedUnhealed,     // nor is what was missed meanwhile asked of the store
  kFailedSubscribeGivenUp,   // a subscription that failed is not tried again
  kUnsubscribeForgotten,     // of a channel that is not wanted any more
  kFormerOwnerKept,          // it is never unsubscribed from
  kFormerOwnerLeftEarly,     // before those that publish can know the new one
  kRingUnheardByPublisher,   // only the first is
  kRingUnheardBySubscriber,  // only the first is
  kStraysIgnored,            // subscribed to after it was given up: unsubscribed by nobody

  // Letters.
  kLettersTakenWithGaps,  // the next batch to come is taken for the next one
  kLettersTakenTwice,     // a batch that is repeated is taken again
  kLettersNotRepeated,    // what is lost is lost
  kLettersOfEarlierLife,  // what is for an earlier life of this node is taken

  // Fences.
  kEditDoneBeforeFence,       // it is acknowledged when it is in force on this node
  kFenceAsksNewestHolder,     // and not those who are being replaced
  kFenceAsksForOneUser,       // the one who has made the edit
  kFenceNotAwaited,           // it is done when all have been asked
  kFenceTimeoutTakenForDone,  // as if the silent were dead
  kFenceWaitsForDead,         // for the answer of a node that was asked, and died
  kFencesForgottenWithLease,  // what was asked under the lease before is not asked again

  // Leases.
  kLeaseWithoutMargin,      // it is used to its end
  kLeaseLossUnnoticed,      // sessions go on after it
  kLeaseLossKeepsSessions,  // clients are kept for the next one

  // Nodes that are drained.
  kDrainedTakesClients,     // as if it were not
  kDrainedHearsNothing,     // those who are still there are told nothing of other nodes
  kDrainedTellsNothing,     // nor are others told of them
  kDrainOfFirstShard,       // the others do not hear of it
  kDrainAsksAllAtOnce,      // whatever the pace is
  kDrainWithoutSpread,      // all are to go at the same time
  kDrainForgetsConnecting,  // whoever was being connected when the others were asked
  kDrainedWithClients,      // it is over when all have been asked
  kDrainKeepsLease,         // it is left to end by itself
  kDrainOverBeforeLease,    // it is over before the lease has been given back
  kDrainLosesLease,         // it is given back when the drain begins
  kShutDownKeepsLease,      // of a runtime that is destroyed with clients

  // Sessions and guests.
  kTakenIgnored,              // the old session of a user who is elsewhere goes on
  kNewerSessionReleased,      // instead of the one that has ended
  kUnknownClaimForgotten,     // a session that may have been entered is not released
  kEndNotPublished,           // nobody is told that a session has ended
  kSequenceKeptOverSessions,  // the first of the next session are taken for repeated ones
  kRepeatedBatchTaken,        // what comes twice is told twice
  kAnnouncedToOldestOnly,     // who may be leaving
  kEarlierAnswerBelieved,     // a look-up that began before somebody was announced
  kFailedConnectEndsGuest,    // a later session that never began is taken for a move
  kGuestsOfDeadKept,          // until somebody asks for each

  // Parks.
  kParkWithoutEnd,     // it is never looked where somebody is
  kParkOnOldLocation,  // a park is granted for a location that is not the last
  kJumpUntold,         // nodes that have parked somebody do not hear of their jumps
  kReturnNoJump,       // nor of where somebody is who comes back after an expiry
  kJumpIgnored,        // they do, and leave them parked
  kParkOutlivesMove,   // whoever is announced by another node may be anywhere

  // The location store.
  kNewerLocationErased,  // by the node that somebody has left

  // Engines.
  kLateListUndoesChange,      // a list is believed over a newer change
  kLateAnnouncementBelieved,  // the same of an announcement
  kDirectionNotFlipped,       // who hides from whom is taken the wrong way round
  kMoverNotAnnouncedTo,       // whoever connects while a friend is changing nodes
  kSlotFreedWithEdges,        // of a user elsewhere who has gone
  kStaleReportAccepted,       // time goes backward
  kExpiryNotTold,             // friends of whoever falls silent see them for ever
  kPairLinkedTwice,           // by a list that is loaded again

  // Clients.
  kLeaveLostInConflation,  // a move that waits swallows it
  kCancelledEnterLeaves,   // an enter that waits does not cancel it
};

inline constexpr std::size_t kPlantedBugs =
    static_cast<std::size_t>(PlantedBug::kCancelledEnterLeaves) + 1;

#ifdef NEARBY_PLANTED_BUGS
// Whether the program has switched this bug on; one at a time.
bool IsPlanted(PlantedBug bug);
void Plant(PlantedBug bug);
#else
constexpr bool IsPlanted(PlantedBug /*bug*/) { return false; }
#endif

}  // namespace nearby

#endif  // NEARBY_SRC_BASE_PLANTED_BUGS_H_
