#include "benchmarks/capacity/report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/capacity/json_object.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/text_table.h"

namespace capacity {
namespace {

// The textbook's load: 10 million users who report every 30 s.
constexpr double kTextbookReportsPerSecond = 334'000;

/// What both outputs show.
struct Figures {
  double reports_per_s = 0;
  double checks_per_s = 0;
  double pairs_per_s = 0;
  double ceiling_reads_per_s = 0;
  double ratio_to_ceiling = 0;
  double deliveries_per_s = 0;
  std::optional<double> baseline_reports_per_s;
  std::optional<double> ratio_to_baseline;
  std::optional<double> baseline_to_ceiling;
  std::optional<double> cost_to_reference;
  Delivered delivered;
  double bytes_per_user = 0;
  double bytes_per_edge = 0;
  double skipped_share = 0;
  double bound_breaks_per_s = 0;
  double core_share = 0;
  std::optional<double> reconnects_per_s;
  std::optional<double> disconnects_per_s;
};

template <typename Value>
double MedianOf(const std::vector<Slice>& slices, const Value& value) {
  std::vector<double> values;
  values.reserve(slices.size());
  for (const Slice& slice : slices) values.push_back(value(slice));
  return Median(std::move(values));
}

double PairsPerReport(const Slice& slice) {
  return static_cast<double>(slice.checks + slice.skipped) /
         static_cast<double>(slice.engine.calls);
}

void AddBaseline(const std::vector<Slice>& slices, Figures* figures) {
  figures->baseline_reports_per_s =
      MedianOf(slices, [](const Slice& slice) { return slice.baseline->per_second(); });
  figures->ratio_to_baseline = MedianOf(slices, [](const Slice& slice) {
    return slice.engine.per_second() / slice.baseline->per_second();
  });
  figures->baseline_to_ceiling = MedianOf(slices, [](const Slice& slice) {
    return slice.baseline->per_second() * PairsPerReport(slice) / slice.ceiling_reads_per_s;
  });
}

void AddMedians(const std::vector<Slice>& slices, Figures* figures) {
  figures->reports_per_s =
      MedianOf(slices, [](const Slice& slice) { return slice.engine.per_second(); });
  figures->checks_per_s = MedianOf(slices, [](const Slice& slice) {
    return static_cast<double>(slice.checks) / slice.engine.seconds;
  });
  figures->pairs_per_s = MedianOf(slices, [](const Slice& slice) { return slice.pairs_per_s(); });
  figures->deliveries_per_s = MedianOf(slices, [](const Slice& slice) {
    return static_cast<double>(slice.engine.delivered.count) / slice.engine.seconds;
  });
  figures->ceiling_reads_per_s =
      MedianOf(slices, [](const Slice& slice) { return slice.ceiling_reads_per_s; });
  figures->ratio_to_ceiling = MedianOf(
      slices, [](const Slice& slice) { return slice.pairs_per_s() / slice.ceiling_reads_per_s; });
}

Figures Summarize(const Measurement& found) {
  const std::vector<Slice>& slices = found.slices;
  Figures figures;
  AddMedians(slices, &figures);
  if (slices.front().baseline.has_value()) AddBaseline(slices, &figures);
  if (slices.front().reference.has_value()) {
    figures.cost_to_reference = MedianOf(slices, [](const Slice& slice) {
      return slice.reference->per_second() / slice.engine.per_second();
    });
  }
  std::uint64_t checks = 0;
  std::uint64_t skipped = 0;
  for (const Slice& slice : slices) {
    figures.delivered += slice.engine.delivered;
    checks += slice.checks;
    skipped += slice.skipped;
  }
  figures.skipped_share = static_cast<double>(skipped) /
                          static_cast<double>(std::max<std::uint64_t>(1, checks + skipped));
  figures.bound_breaks_per_s =
      static_cast<double>(found.bound_breaks) / std::max(1e-3, found.simulated_seconds);
  figures.core_share = kTextbookReportsPerSecond / figures.reports_per_s;
  const double users = found.flags.users;
  const auto bytes = static_cast<double>(found.engine_bytes);
  figures.bytes_per_user = bytes / users;
  figures.bytes_per_edge = (bytes - users * found.bytes_per_bare_user) /
                           static_cast<double>(std::max<std::uint64_t>(1, 2 * found.friendships));
  if (found.reconnects.calls > 0) {
    figures.reconnects_per_s = found.reconnects.per_second();
    figures.disconnects_per_s = found.disconnects.per_second();
  }
  return figures;
}

void AddWorld(const Measurement& found, TextTable* table) {
  const Flags& flags = found.flags;
  table->Heading("World");
  table->Row("users", flags.users);
  table->Row("friends online", 2.0 * static_cast<double>(found.friendships) / flags.users);
  for (std::size_t i = 0; i < kDistanceClasses.size(); ++i) {
    table->Row(absl::StrCat("  of them ", kDistanceClasses[i].name),
               absl::StrFormat("%.2f %%", 100 * found.mix.share(i)));
  }
}

void AddHost(const Measurement& found, const Figures& figures, TextTable* table) {
  table->Heading("Getting there");
  table->Row("connects/s", found.connects.per_second());
  for (std::size_t i = 0; i < found.warmup.size(); ++i) {
    table->Row(absl::StrCat("reports/s, round ", i + 1), found.warmup[i].per_second());
  }
  table->Row("bytes a user, resident, all included", figures.bytes_per_user);
  table->Row("  of them without friends", found.bytes_per_bare_user);
  table->Row("bytes an edge (a friendship is two)", figures.bytes_per_edge);
}

void AddRates(const Measurement& found, const Figures& figures, TextTable* table) {
  const Flags& flags = found.flags;
  table->Heading(absl::StrCat("Measured, skipping ", flags.skipping ? "on" : "off", ": medians of ",
                              flags.repetitions, " slices of ", flags.chunk, " reports"));
  table->Row("reports/s", figures.reports_per_s);
  table->Row("pairs served/s", figures.pairs_per_s);
  table->Row("pairs checked/s", figures.checks_per_s);
  table->Row("pairs skipped", absl::StrFormat("%.2f %%", 100 * figures.skipped_share));
  table->Row("deliveries/s", figures.deliveries_per_s);
  table->Row("ceiling, reads/s", figures.ceiling_reads_per_s);
  table->Row("baseline, reports/s", figures.baseline_reports_per_s);
  table->Row("baseline to ceiling", figures.baseline_to_ceiling);
  table->Row("reports to the baseline's", figures.ratio_to_baseline);
  table->Row("pairs served to the ceiling's reads", figures.ratio_to_ceiling);
  table->Row(absl::StrCat("a report, to one with ", flags.reference_users, " users"),
             figures.cost_to_reference);
  table->Row("bound breaks in a second of the trace", figures.bound_breaks_per_s);
  table->Row("of one core at 334,000 reports/s",
             absl::StrFormat("%.2f %%", 100 * figures.core_share));
  table->Row("reconnects/s, nine in ten friends offline", figures.reconnects_per_s);
  table->Row("disconnects/s", figures.disconnects_per_s);
  table->Row("deliveries", absl::StrCat(figures.delivered.count));
  table->Row("checksum of deliveries", absl::StrFormat("%016x", figures.delivered.checksum));
  if (!found.slices.front().baseline.has_value()) return;
  const bool same = std::all_of(found.slices.begin(), found.slices.end(), [](const Slice& slice) {
    return slice.engine.delivered == slice.baseline->delivered;
  });
  table->Row("the baseline's deliveries", same ? "the same" : "DIFFER");
}

JsonObject DescribeRun(const Measurement& found) {
  const Flags& flags = found.flags;
  JsonObject json;
  json.AddCount("users", flags.users);
  json.Add("friends", 2.0 * static_cast<double>(found.friendships) / flags.users);
  json.AddCount("shards", flags.shards);
  json.AddText("skipping", flags.skipping ? "on" : "off");
  json.AddCount("seed", flags.seed);
  json.AddCount("batch", flags.batch);
  json.AddCount("chunk", flags.chunk);
  json.AddCount("repetitions", flags.repetitions);
  json.AddCount("warmup_rounds", flags.warmup_rounds);
  json.AddCount("reference_users", flags.reference_users);
  return json;
}

}  // namespace

std::string ToTable(const Measurement& found) {
  const Figures figures = Summarize(found);
  TextTable table;
  AddWorld(found, &table);
  AddHost(found, figures, &table);
  AddRates(found, figures, &table);
  std::string text = table.text();
  for (const std::string& reason : found.voids) absl::StrAppend(&text, "\nVOID: ", reason, "\n");
  return text;
}

std::string ToJson(const Measurement& found) {
  const Figures figures = Summarize(found);
  JsonObject json = DescribeRun(found);
  json.Add("reports_per_s", figures.reports_per_s);
  json.Add("checks_per_s", figures.checks_per_s);
  json.Add("pairs_per_s", figures.pairs_per_s);
  json.Add("deliveries_per_s", figures.deliveries_per_s);
  json.Add("ceiling_reads_per_s", figures.ceiling_reads_per_s);
  json.Add("baseline_reports_per_s", figures.baseline_reports_per_s);
  json.Add("baseline_to_ceiling", figures.baseline_to_ceiling);
  json.Add("ratio_to_baseline", figures.ratio_to_baseline);
  json.Add("ratio_to_ceiling", figures.ratio_to_ceiling);
  json.Add("report_cost_to_reference", figures.cost_to_reference);
  json.AddCount("deliveries", figures.delivered.count);
  // A text: as a number it would lose its last digits in many readers.
  json.AddText("deliveries_checksum", absl::StrFormat("%016x", figures.delivered.checksum));
  json.Add("bytes_per_user_rss", figures.bytes_per_user);
  json.Add("bytes_per_bare_user_rss", found.bytes_per_bare_user);
  json.Add("bytes_per_edge_rss", figures.bytes_per_edge);
  json.Add("checks_skipped_share", figures.skipped_share);
  json.Add("bound_breaks_per_s", figures.bound_breaks_per_s);
  json.Add("core_share_at_334k", figures.core_share);
  json.Add("connects_per_s", found.connects.per_second());
  json.Add("reconnects_per_s", figures.reconnects_per_s);
  json.Add("disconnects_per_s", figures.disconnects_per_s);
  std::vector<std::string> mix;
  for (std::size_t i = 0; i < kDistanceClasses.size(); ++i) {
    mix.push_back(absl::StrFormat("%.4f", found.mix.share(i)));
  }
  json.AddRaw("distance_mix", absl::StrCat("[", absl::StrJoin(mix, ", "), "]"));
  json.AddRaw("void", found.voids.empty() ? "false" : "true");
  return json.ToString();
}

}  // namespace capacity
