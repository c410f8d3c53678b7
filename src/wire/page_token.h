#ifndef NEARBY_SRC_WIRE_PAGE_TOKEN_H_
#define NEARBY_SRC_WIRE_PAGE_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"

namespace nearby::wire {

/// A page token as clients carry it, opaque to them: a version byte, then distance and friend, 8
/// bytes each, little-endian. Empty for the beginning. It tells a client nothing that the page
/// before did not, and one that is made up merely begins a page elsewhere; so it is not signed.
std::string EncodePageToken(const PageToken& token);

/// Whether a token, not empty, is of the version that DecodePageToken reads.
bool HasKnownTokenVersion(absl::string_view bytes);

/// `InvalidArgument` for what EncodePageToken cannot have made.
absl::StatusOr<PageToken> DecodePageToken(absl::string_view bytes);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_PAGE_TOKEN_H_
