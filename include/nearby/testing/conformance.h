#ifndef NEARBY_TESTING_CONFORMANCE_H_
#define NEARBY_TESTING_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/export.h"

namespace nearby {

/// What a conformance test found. No failure and no skip is a pass.
///
/// Thread-safe.
class NEARBY_API ConformanceReport {
 public:
  ConformanceReport() = default;
  ConformanceReport(const ConformanceReport&) = delete;
  ConformanceReport& operator=(const ConformanceReport&) = delete;

  void Fail(absl::string_view what);
  /// The adapter's host did not supply what the test needs: see the hooks of what is under test.
  void Skip(absl::string_view why);

  /// Each records a failure unless what it expects holds, and answers whether it does.
  bool Expect(bool holds, absl::string_view what);
  bool ExpectOk(const absl::Status& status, absl::string_view what);
  bool ExpectCode(const absl::Status& status, absl::StatusCode code, absl::string_view what);

  /// The first hundred, a line each.
  std::vector<std::string> failures() const;
  std::optional<std::string> skipped() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::optional<std::string> skipped_;
};

/// A test of one clause of an interface's contract. `nearby/testing/conformance_gtest.h` makes
/// GoogleTest tests of them; with another framework, run them with RunConformanceCase.
struct ConformanceCase {
  int clause = 0;    ///< The number that the clause has in the interface's header.
  std::string name;  ///< "Clause5NewestWins": an identifier.
  std::function<void(ConformanceReport*)> body;
};

/// Runs one. An exception that the adapter lets out is a failure.
NEARBY_API void RunConformanceCase(const ConformanceCase& conformance_case,
                                   ConformanceReport* report);

/// What a host hands to a suite: an adapter, made anew for each test, and what the suite must be
/// able to do to it. Those of the single interfaces derive from it. A test whose hook is null is
/// skipped.
template <typename Interface>
struct AdapterUnderTest {
  /// What the adapter borrows, if anything: destroyed after it.
  std::shared_ptr<void> keeps;
  /// Empty of data. Tests destroy it, too.
  std::unique_ptr<Interface> adapter;
  /// Hook: from `stall(true)` until `stall(false)` whatever the adapter waits for does not answer,
  /// as a database under a lock, or a server process that is stopped. It may be called after the
  /// adapter has been destroyed. For an adapter that waits for nothing it is one that does nothing.
  std::function<void(bool)> stall;
  /// How long a call may take to complete. Only tests that fail take it.
  absl::Duration patience = absl::Seconds(30);
  /// How long some tests look on for something that must not happen.
  absl::Duration grace = absl::Milliseconds(100);
};

}  // namespace nearby

#endif  // NEARBY_TESTING_CONFORMANCE_H_
