#include "nearby/effects.h"

namespace nearby {

const char* ToString(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::kEnter:
      return "enter";
    case DeliveryKind::kMove:
      return "move";
    case DeliveryKind::kLeave:
      return "leave";
    case DeliveryKind::kReset:
      return "reset";
  }
  return "unknown";
}

const char* ToString(LeaveReason reason) {
  switch (reason) {
    case LeaveReason::kNone:
      return "none";
    case LeaveReason::kRange:
      return "range";
    case LeaveReason::kExpired:
      return "expired";
    case LeaveReason::kOffline:
      return "offline";
    case LeaveReason::kUnfriended:
      return "unfriended";
    case LeaveReason::kUnsubscribed:
      return "unsubscribed";
    case LeaveReason::kHidden:
      return "hidden";
  }
  return "unknown";
}

}  // namespace nearby
