#include "nearby/testing/conformance.h"

#include <cstddef>
#include <exception>

#include "absl/strings/str_cat.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxFailures = 100;

}  // namespace

void ConformanceReport::Fail(absl::string_view what) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failures_.size() < kMaxFailures) failures_.emplace_back(what);
}

void ConformanceReport::Skip(absl::string_view why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  skipped_.emplace(why.data(), why.size());
}

bool ConformanceReport::Expect(bool holds, absl::string_view what) {
  if (!holds) Fail(what);
  return holds;
}

bool ConformanceReport::ExpectOk(const absl::Status& status, absl::string_view what) {
  return Expect(status.ok(), absl::StrCat(what, ": ", status.ToString()));
}

bool ConformanceReport::ExpectCode(const absl::Status& status, absl::StatusCode code,
                                   absl::string_view what) {
  return Expect(status.code() == code,
                absl::StrCat(what, ": ", status.ToString(), "; ", absl::StatusCodeToString(code),
                             " was to be expected"));
}

std::vector<std::string> ConformanceReport::failures() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failures_;
}

std::optional<std::string> ConformanceReport::skipped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return skipped_;
}

void RunConformanceCase(const ConformanceCase& conformance_case, ConformanceReport* report) {
  try {
    conformance_case.body(report);
  } catch (const std::exception& e) {
    report->Fail(absl::StrCat("the adapter has thrown ", e.what()));
  } catch (...) {
    report->Fail("the adapter has thrown something");
  }
}

}  // namespace nearby
