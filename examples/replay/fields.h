#ifndef EXAMPLES_REPLAY_FIELDS_H_
#define EXAMPLES_REPLAY_FIELDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// Takes the next field, a run of anything but white space, off the front of `line`. Empty if there
/// is none left.
absl::string_view TakeField(absl::string_view* line);

/// An unsigned decimal number of 64 bits: digits alone.
bool ParseUser(absl::string_view field, nearby::UserId* user);

/// A finite decimal number, with or without sign, fraction and exponent. Neither "nan" and "inf"
/// nor hexadecimal numbers.
bool ParseNumber(absl::string_view field, double* number);

/// A time in decimal seconds, with or without sign and fraction, or in RFC 3339; rounded down to
/// the millisecond. Digits are taken as they are, never through a double. A time too far from the
/// epoch comes out as one that nearby::IsValid refuses.
bool ParseTime(absl::string_view field, nearby::Time* time);

/// The field for an error message: in quotes, unprintable characters escaped, shortened if long.
std::string Quoted(absl::string_view field);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_FIELDS_H_
