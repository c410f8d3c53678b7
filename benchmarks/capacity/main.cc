// One engine at full load, beside the machine's memory and a textbook program. See --help.

#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/ceiling.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/flags.h"
#include "benchmarks/capacity/reporter.h"
#include "benchmarks/capacity/textbook.h"
#include "benchmarks/capacity/world.h"
#include "nearby/radius_filter.h"

namespace capacity {
namespace {

constexpr nearby::Time kStart{1'700'000'000'000};
constexpr double kLoad = 334'000;  // reports a second, of ten million users every 30 s
// Below this share of the ceiling a baseline would be a straw man. Not so for few users, of whom
// the processor's caches hold the ceiling's 8 bytes each, but not the baseline's 800.
constexpr double kLeastBaseline = 0.007;
constexpr std::uint32_t kManyUsers = 8'000'000;
constexpr std::uint32_t kStormUsers = 50'000;

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::int64_t ResidentBytes() {
  long pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return std::int64_t{pages} * 4096;
}

// What one repetition measured, by name; the names are those of the JSON.
struct Samples {
  std::vector<double> reports_per_s;
  std::vector<double> checks_per_s;  // pairs settled, looked at or not
  std::vector<double> ceiling_reads_per_s;
  std::vector<double> baseline_reports_per_s;
  std::vector<double> ratio_to_baseline;
  std::vector<double> ratio_to_ceiling;
  std::vector<double> baseline_to_ceiling;
};

// The textbook program, brought to where the engine is.
Textbook MakeTextbook(const World& world, const Reporter& reporter) {
  const nearby::EngineOptions defaults;
  const auto limit = nearby::RadiusLimit::FromMeters(defaults.radius_m);
  Textbook textbook(defaults.radius_m, absl::ToInt64Milliseconds(defaults.ttl));
  textbook.Reserve(world.users());
  for (std::uint32_t user = 0; user < world.users(); ++user) {
    std::vector<Textbook::Friend> friends;
    friends.reserve(world.friends(user).size());
    for (const std::uint32_t other : world.friends(user)) {
      friends.push_back(
          {World::Id(other), limit.Admits(reporter.position(user), reporter.position(other))});
    }
    textbook.SetFriends(World::Id(user), std::move(friends));
    textbook.SetLocation(World::Id(user), reporter.position(user).ToLatLng(), reporter.time(user));
  }
  return textbook;
}

class Run {
 public:
  explicit Run(const Flags& flags) : flags_(flags) {}

  // 0, or 1 if the run is void.
  int Main() {
    Say("making %u users with %u friends each", flags_.users, flags_.friends);
    world_.emplace(flags_.users, flags_.friends, flags_.seed);
    Reporter reporter(*world_, kStart, flags_.seed);
    Ceiling ceiling(flags_.users);
    Say("connecting them");
    const std::int64_t resident = ResidentBytes();
    EngineSide engine(*world_, {flags_.skipping, flags_.batch});
    first_connects_per_s_ = flags_.users / engine.ConnectAll(kStart, flags_.seed);
    Say("warming up, %u rounds", flags_.warmup);
    for (std::uint64_t left = std::uint64_t{flags_.users} * flags_.warmup; left > 0;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, flags_.reports));
      reporter.Make(count, engine);
      engine.Report(reporter.reports());
      left -= count;
    }
    // The reporter's chunk has been in use before; its times have not.
    bytes_per_user_ =
        static_cast<double>(ResidentBytes() - resident) / flags_.users - sizeof(nearby::Time);
    std::optional<Textbook> textbook;
    if (flags_.baseline) {
      Say("bringing the baseline to the same state");
      textbook.emplace(MakeTextbook(*world_, reporter));
    }
    Say("measuring, %u repetitions", flags_.repetitions);
    Measure(&engine, textbook ? &*textbook : nullptr, &reporter, &ceiling);
    // When nothing is compared any more: whoever comes back has no location yet.
    storm_ = engine.ConnectStorm(std::min(flags_.users, kStormUsers), flags_.seed);
    Print();
    if (!flags_.json.empty() && !WriteJson()) return 1;
    return Judge();
  }

 private:
  template <typename... Args>
  static void Say(const absl::FormatSpec<Args...>& format, const Args&... args) {
    absl::FPrintF(stderr, "-- %s\n", absl::StrFormat(format, args...));
  }

  void Measure(EngineSide* engine, Textbook* textbook, Reporter* reporter, Ceiling* ceiling) {
    const nearby::EngineStats before = engine->stats();
    const double friends = 2.0 * static_cast<double>(world_->friendships()) / world_->users();
    double engine_s = 0;
    engine->deliveries().StartChecking();
    baseline_.StartChecking();
    for (std::uint32_t i = 0; i < flags_.repetitions; ++i) {
      reporter->Make(flags_.reports, *engine);
      // One after the other, so that all three meet the same moment of a shared machine.
      double reads = ceiling->ReadsPerSecond();
      const double took = Seconds([&] { engine->Report(reporter->reports()); });
      reads = (reads + ceiling->ReadsPerSecond()) / 2;
      const double rate = flags_.reports / took;
      engine_s += took;
      samples_.reports_per_s.push_back(rate);
      samples_.checks_per_s.push_back(rate * friends);
      samples_.ceiling_reads_per_s.push_back(reads);
      samples_.ratio_to_ceiling.push_back(rate * friends / reads);
      if (textbook == nullptr) continue;
      const double textbook_took = Seconds([&] {
        for (std::size_t j = 0; j < reporter->users().size(); ++j) {
          const nearby::LocationReport& report = reporter->reports()[j];
          textbook->Report(World::Id(reporter->users()[j]), report.location, report.reported_at,
                           &baseline_);
        }
      });
      samples_.baseline_reports_per_s.push_back(flags_.reports / textbook_took);
      samples_.ratio_to_baseline.push_back(textbook_took / took);
      samples_.baseline_to_ceiling.push_back(flags_.reports / textbook_took * friends / reads);
    }
    const nearby::EngineStats after = engine->stats();
    const auto checked = static_cast<double>(after.checks - before.checks);
    const auto skipped = static_cast<double>(after.skipped - before.skipped);
    skipped_share_ = skipped / (checked + skipped);
    bound_breaks_per_s_ = static_cast<double>(after.bound_breaks - before.bound_breaks) / engine_s;
    breaks_per_report_ = static_cast<double>(after.bound_breaks - before.bound_breaks) /
                         (static_cast<double>(flags_.repetitions) * flags_.reports);
    engine_ = engine->deliveries();
  }

  // The figures, by the names of the JSON.
  std::vector<std::pair<std::string, std::string>> Figures() const {
    const auto number = [](double value) { return absl::StrFormat("%.6g", value); };
    std::vector<std::pair<std::string, std::string>> figures = {
        {"users", absl::StrCat(flags_.users)},
        {"friends", absl::StrCat(flags_.friends)},
        {"shards", absl::StrCat(flags_.shards)},
        {"skipping", flags_.skipping ? "true" : "false"},
        {"reports_per_s", number(Median(samples_.reports_per_s))},
        {"checks_per_s", number(Median(samples_.checks_per_s))},
        {"ceiling_reads_per_s", number(Median(samples_.ceiling_reads_per_s))},
        {"ratio_to_ceiling", number(Median(samples_.ratio_to_ceiling))},
        {"deliveries", absl::StrCat(engine_.checked())},
        {"deliveries_checksum", absl::StrCat("\"", absl::Hex(engine_.checksum()), "\"")},
        {"deliveries_per_report",
         number(static_cast<double>(engine_.checked()) / flags_.repetitions / flags_.reports)},
        {"bytes_per_user_rss", number(bytes_per_user_)},
        {"checks_skipped_share", number(skipped_share_)},
        {"bound_breaks_per_s", number(bound_breaks_per_s_)},
        {"bound_breaks_per_report", number(breaks_per_report_)},
        {"core_share_at_334k", number(kLoad / Median(samples_.reports_per_s))},
        {"connects_per_s", number(storm_.connects_per_s)},
        {"disconnects_per_s", number(storm_.disconnects_per_s)},
        {"first_connects_per_s", number(first_connects_per_s_)},
    };
    if (flags_.baseline) {
      figures.emplace_back("baseline_reports_per_s",
                           number(Median(samples_.baseline_reports_per_s)));
      figures.emplace_back("ratio_to_baseline", number(Median(samples_.ratio_to_baseline)));
      figures.emplace_back("baseline_to_ceiling", number(Median(samples_.baseline_to_ceiling)));
    }
    return figures;
  }

  void Print() const {
    std::string mix;
    for (const double share : world_->mix()) absl::StrAppendFormat(&mix, " %.3f", share);
    std::FILE* const out = flags_.json == "-" ? stderr : stdout;
    absl::FPrintF(out, "%-26s%s\n", "friends up to 8, 20, 100, 1000 km, beyond", mix);
    for (const auto& [name, value] : Figures()) absl::FPrintF(out, "%-26s%s\n", name, value);
  }

  bool WriteJson() const {
    const std::string text = absl::StrCat("{",
                                          absl::StrJoin(Figures(), ", ",
                                                        [](std::string* out, const auto& figure) {
                                                          absl::StrAppend(out, "\"", figure.first,
                                                                          "\": ", figure.second);
                                                        }),
                                          "}\n");
    std::FILE* const file = flags_.json == "-" ? stdout : std::fopen(flags_.json.c_str(), "w");
    bool is_written = file != nullptr && std::fputs(text.c_str(), file) >= 0;
    if (file != nullptr && file != stdout) is_written = std::fclose(file) == 0 && is_written;
    if (!is_written) absl::FPrintF(stderr, "nearby_capacity: cannot write %s\n", flags_.json);
    return is_written;
  }

  int Judge() const {
    if (!flags_.baseline) return 0;
    // Where a distance lies between two millimetres, the two may round it to either.
    const std::int64_t off = std::abs(engine_.distances_mm() - baseline_.distances_mm());
    if (engine_.checked() != baseline_.checked() || engine_.checksum() != baseline_.checksum() ||
        off > static_cast<std::int64_t>(engine_.checked() / 50 + 10)) {
      absl::FPrintF(stderr,
                    "void: the engine delivered %d (%x), the baseline %d (%x); the sums of their "
                    "distances are %d mm apart\n",
                    engine_.checked(), engine_.checksum(), baseline_.checked(),
                    baseline_.checksum(), off);
      return 1;
    }
    if (flags_.users >= kManyUsers && Median(samples_.baseline_to_ceiling) < kLeastBaseline) {
      absl::FPrintF(stderr, "void: the baseline reached %.4f of the ceiling, less than %.3f\n",
                    Median(samples_.baseline_to_ceiling), kLeastBaseline);
      return 1;
    }
    if (Median(samples_.ratio_to_baseline) < flags_.at_least) {
      absl::FPrintF(stderr, "the engine reached %.2f times the baseline, less than %.2f\n",
                    Median(samples_.ratio_to_baseline), flags_.at_least);
      return 1;
    }
    return 0;
  }

  const Flags flags_;
  std::optional<World> world_;
  Samples samples_;
  Deliveries engine_;
  Deliveries baseline_;
  double first_connects_per_s_ = 0;
  EngineSide::Storm storm_;
  double bytes_per_user_ = 0;
  double skipped_share_ = 0;
  double bound_breaks_per_s_ = 0;
  double breaks_per_report_ = 0;
};

int Main(absl::Span<const char* const> arguments) {
  const absl::StatusOr<Flags> flags = ParseFlags(arguments);
  if (!flags.ok()) {
    absl::FPrintF(stderr, "nearby_capacity: %s (--help says more)\n", flags.status().message());
    return 2;
  }
  if (flags->help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  return Run(*flags).Main();
}

}  // namespace
}  // namespace capacity

int main(int argc, char** argv) {
  return capacity::Main(absl::MakeConstSpan(argv + 1, static_cast<std::size_t>(argc - 1)));
}
