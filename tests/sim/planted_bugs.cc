#include "tests/sim/planted_bugs.h"

#include <iterator>

namespace nearby {
namespace {

// One thread, and one bug for the whole run.
PlantedBug planted = PlantedBug::kNone;

}  // namespace

bool IsPlanted(PlantedBug bug) { return bug == planted; }
void Plant(PlantedBug bug) { planted = bug; }

namespace sim {
namespace {

constexpr BugName kBugs[] = {
    {PlantedBug::kLinkLossIgnored, "link-loss-ignored"},
    {PlantedBug::kResubscribedUnhealed, "resubscribed-unhealed"},
    {PlantedBug::kFailedSubscribeGivenUp, "failed-subscribe-given-up"},
    {PlantedBug::kUnsubscribeForgotten, "unsubscribe-forgotten"},
    {PlantedBug::kFormerOwnerKept, "former-owner-kept"},
    {PlantedBug::kFormerOwnerLeftEarly, "former-owner-left-early"},
    {PlantedBug::kRingUnheardByPublisher, "ring-unheard-by-publisher"},
    {PlantedBug::kRingUnheardBySubscriber, "ring-unheard-by-subscriber"},
    {PlantedBug::kStraysIgnored, "strays-ignored"},
    {PlantedBug::kLettersTakenWithGaps, "letters-taken-with-gaps"},
    {PlantedBug::kLettersTakenTwice, "letters-taken-twice"},
    {PlantedBug::kLettersNotRepeated, "letters-not-repeated"},
    {PlantedBug::kLettersOfEarlierLife, "letters-of-earlier-life"},
    {PlantedBug::kEditDoneBeforeFence, "edit-done-before-fence"},
    {PlantedBug::kFenceAsksNewestHolder, "fence-asks-newest-holder"},
    {PlantedBug::kFenceAsksForOneUser, "fence-asks-for-one-user"},
    {PlantedBug::kFenceNotAwaited, "fence-not-awaited"},
    {PlantedBug::kFenceTimeoutTakenForDone, "fence-timeout-taken-for-done"},
    {PlantedBug::kFenceWaitsForDead, "fence-waits-for-dead"},
    {PlantedBug::kFencesForgottenWithLease, "fences-forgotten-with-lease"},
    {PlantedBug::kLeaseWithoutMargin, "lease-without-margin"},
    {PlantedBug::kLeaseLossUnnoticed, "lease-loss-unnoticed"},
    {PlantedBug::kLeaseLossKeepsSessions, "lease-loss-keeps-sessions"},
    {PlantedBug::kDrainedTakesClients, "drained-takes-clients"},
    {PlantedBug::kDrainedHearsNothing, "drained-hears-nothing"},
    {PlantedBug::kDrainedTellsNothing, "drained-tells-nothing"},
    {PlantedBug::kDrainOfFirstShard, "drain-of-first-shard"},
    {PlantedBug::kDrainAsksAllAtOnce, "drain-asks-all-at-once"},
    {PlantedBug::kDrainWithoutSpread, "drain-without-spread"},
    {PlantedBug::kDrainForgetsConnecting, "drain-forgets-connecting"},
    {PlantedBug::kDrainedWithClients, "drained-with-clients"},
    {PlantedBug::kDrainKeepsLease, "drain-keeps-lease"},
    {PlantedBug::kDrainOverBeforeLease, "drain-over-before-lease"},
    {PlantedBug::kDrainLosesLease, "drain-loses-lease"},
    {PlantedBug::kShutDownKeepsLease, "shut-down-keeps-lease"},
    {PlantedBug::kTakenIgnored, "taken-ignored"},
    {PlantedBug::kNewerSessionReleased, "newer-session-released"},
    {PlantedBug::kUnknownClaimForgotten, "unknown-claim-forgotten"},
    {PlantedBug::kEndNotPublished, "end-not-published"},
    {PlantedBug::kSequenceKeptOverSessions, "sequence-kept-over-sessions"},
    {PlantedBug::kRepeatedBatchTaken, "repeated-batch-taken"},
    {PlantedBug::kAnnouncedToOldestOnly, "announced-to-oldest-only"},
    {PlantedBug::kEarlierAnswerBelieved, "earlier-answer-believed"},
    {PlantedBug::kFailedConnectEndsGuest, "failed-connect-ends-guest"},
    {PlantedBug::kGuestsOfDeadKept, "guests-of-dead-kept"},
    {PlantedBug::kParkWithoutEnd, "park-without-end"},
    {PlantedBug::kParkOnOldLocation, "park-on-old-location"},
    {PlantedBug::kJumpUntold, "jump-untold"},
    {PlantedBug::kReturnNoJump, "return-no-jump"},
    {PlantedBug::kJumpIgnored, "jump-ignored"},
    {PlantedBug::kParkOutlivesMove, "park-outlives-move"},
    {PlantedBug::kNewerLocationErased, "newer-location-erased"},
    {PlantedBug::kLateListUndoesChange, "late-list-undoes-change"},
    {PlantedBug::kLateAnnouncementBelieved, "late-announcement-believed"},
    {PlantedBug::kDirectionNotFlipped, "direction-not-flipped"},
    {PlantedBug::kMoverNotAnnouncedTo, "mover-not-announced-to"},
    {PlantedBug::kSlotFreedWithEdges, "slot-freed-with-edges"},
    {PlantedBug::kStaleReportAccepted, "stale-report-accepted"},
    {PlantedBug::kExpiryNotTold, "expiry-not-told"},
    {PlantedBug::kPairLinkedTwice, "pair-linked-twice"},
    {PlantedBug::kLeaveLostInConflation, "leave-lost-in-conflation"},
    {PlantedBug::kCancelledEnterLeaves, "cancelled-enter-leaves"},
};
static_assert(std::size(kBugs) + 1 == kPlantedBugs);

}  // namespace

std::vector<BugName> AllBugs() { return {std::begin(kBugs), std::end(kBugs)}; }

std::optional<PlantedBug> FindBug(absl::string_view name) {
  for (const BugName& known : kBugs) {
    if (name == known.name) return known.bug;
  }
  return std::nullopt;
}

}  // namespace sim
}  // namespace nearby
