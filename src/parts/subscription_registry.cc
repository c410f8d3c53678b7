#include "nearby/subscription_registry.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "src/parts/subscription_channels.h"
#include "src/parts/subscription_rows.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nearby {
namespace {

// Lines of 64 bytes that hold an ordinary row; the processor's own prefetcher follows a longer one.
constexpr std::size_t kRowLines = 4;

// An edge together with the row that it stands in.
struct DirectedEdge {
  Slot row;
  Edge edge;
};

bool ByRowThenNeighbour(const DirectedEdge& a, const DirectedEdge& b) {
  return std::make_tuple(ToInt(a.row), ToInt(a.edge.neighbour())) <
         std::make_tuple(ToInt(b.row), ToInt(b.edge.neighbour()));
}

std::size_t IndexOf(absl::Span<const Edge> row, Slot neighbour) {
  std::size_t i = 0;
#if defined(__SSE2__)
  // Four at a time: an edge of the pair differs from this one in its flags alone.
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(Edge(neighbour, kNoEdgeFlags).bits()));
  for (; i + 4 <= row.size(); i += 4) {
    const __m128i edges = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&row[i]));
    const __m128i differences = _mm_srli_epi32(_mm_xor_si128(edges, wanted), Edge::kFlagBits);
    const __m128i is_found = _mm_cmpeq_epi32(differences, _mm_setzero_si128());
    if (_mm_movemask_epi8(is_found) != 0) break;
  }
#endif
  while (i < row.size() && row[i].neighbour() != neighbour) ++i;
  return i;
}

// Checks all that can be seen in one row; `row` ascends by neighbour.
absl::Status CheckRow(absl::Span<const DirectedEdge> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::uint32_t slot = ToInt(row[i].row);
    const Slot neighbour = row[i].edge.neighbour();
    if (neighbour == row[i].row) {
      return absl::InternalError(absl::StrCat("slot ", slot, " is in its own row"));
    }
    if (i > 0 && neighbour == row[i - 1].edge.neighbour()) {
      return absl::InternalError(
          absl::StrCat("slot ", ToInt(neighbour), " is twice in the row of slot ", slot));
    }
  }
  return absl::OkStatus();
}

// Checks that each edge has its mirror; `edges` ascend by row and neighbour.
absl::Status CheckMirrors(absl::Span<const DirectedEdge> edges) {
  for (const DirectedEdge& it : edges) {
    const Slot neighbour = it.edge.neighbour();
    const DirectedEdge wanted{neighbour, Edge(it.row, Mirrored(it.edge.flags()))};
    const auto found = std::lower_bound(edges.begin(), edges.end(), wanted, ByRowThenNeighbour);
    if (found == edges.end() || ByRowThenNeighbour(wanted, *found)) {
      return absl::InternalError(absl::StrCat("slot ", ToInt(neighbour), " is in the row of slot ",
                                              ToInt(it.row), ", but not the other way round"));
    }
    if (found->edge.bits() != wanted.edge.bits()) {
      return absl::InternalError(absl::StrCat("the edges of slots ", ToInt(it.row), " and ",
                                              ToInt(neighbour), " disagree: flags ",
                                              it.edge.flags(), " and ", found->edge.flags()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

SubscriptionRegistry::SubscriptionRegistry(const Options& options)
    : SubscriptionRegistry(options, nullptr) {}

SubscriptionRegistry::SubscriptionRegistry(const Options& options, internal::SlotLines* lines)
    : max_row_(std::min(options.max_row, Rows::kMaxRow)),
      rows_(std::make_unique<Rows>(lines, options.expected_entities)),
      channels_(std::make_unique<Channels>(options.unsubscribe_delay, &rows_->lines())) {}

SubscriptionRegistry::~SubscriptionRegistry() = default;

absl::Status SubscriptionRegistry::Link(Slot a, Slot b, EdgeFlags flags, std::uint8_t tick,
                                        std::uint32_t row_to_be) {
  assert(a != b);
  assert(ToInt(a) < Edge::kMaxSlots && ToInt(b) < Edge::kMaxSlots);
  assert(Find(a, b) == nullptr);
  for (const Slot slot : {a, b}) {
    const std::uint32_t size = rows_->size(slot);
    if (size >= max_row_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the row of slot ", ToInt(slot), " is full: ", size, " edges"));
    }
  }
  // An empty row may be that of a channel about to be dropped.
  if (rows_->size(a) == 0) channels_->SetBusy(a);
  if (rows_->size(b) == 0) channels_->SetBusy(b);
  rows_->Append(a, Edge(b, flags), tick, row_to_be);
  rows_->Append(b, Edge(a, Mirrored(flags)), tick);
  edge_count_ += 2;
  return absl::OkStatus();
}

void SubscriptionRegistry::Trim(Slot slot) { rows_->Trim(slot); }

bool SubscriptionRegistry::Unlink(Slot a, Slot b) {
  if (rows_->size(a) > rows_->size(b)) std::swap(a, b);
  const std::size_t in_shorter = IndexOf(Row(a), b);
  if (in_shorter == Row(a).size()) return false;
  const std::size_t in_longer = IndexOf(Row(b), a);
  rows_->Remove(a, in_shorter);
  rows_->Remove(b, in_longer);
  edge_count_ -= 2;
  return true;
}

void SubscriptionRegistry::UnlinkAll(Slot slot) {
  const absl::Span<const Edge> row = Row(slot);
  for (const Edge edge : row) rows_->PrefetchHead(edge.neighbour());
  for (const Edge edge : row) rows_->PrefetchBlock(edge.neighbour(), kRowLines);
  // A neighbour's row that shrinks may move this one, whose edges are therefore asked for each
  // time.
  for (std::size_t i = 0; i < Row(slot).size(); ++i) {
    const Slot neighbour = Row(slot)[i].neighbour();
    rows_->Remove(neighbour, IndexOf(Row(neighbour), slot));
  }
  edge_count_ -= 2 * std::size_t{rows_->size(slot)};
  rows_->Clear(slot);
}

const Edge* SubscriptionRegistry::Find(Slot a, Slot b) const {
  // Most look-ups that fail are spared the longer row.
  if (rows_->size(b) < rows_->size(a) && IndexOf(Row(b), a) == Row(b).size()) return nullptr;
  const absl::Span<const Edge> row = Row(a);
  const std::size_t index = IndexOf(row, b);
  return index == row.size() ? nullptr : &row[index];
}

Edge* SubscriptionRegistry::FindMutable(Slot a, Slot b) { return const_cast<Edge*>(Find(a, b)); }

void SubscriptionRegistry::Update(Slot a, Slot b, EdgeFlags set, EdgeFlags clear) {
  Edge* const edge = FindMutable(a, b);
  Edge* const mirror = FindMutable(b, a);
  assert(edge != nullptr && mirror != nullptr);
  edge->Clear(clear);
  edge->Set(set);
  mirror->Clear(Mirrored(clear));
  mirror->Set(Mirrored(set));
}

absl::Span<const Edge> SubscriptionRegistry::Row(Slot slot) const {
  return const_cast<const Rows&>(*rows_).Row(slot);
}

RowView SubscriptionRegistry::MutableRow(Slot slot) { return rows_->Row(slot); }

Edge& SubscriptionRegistry::MirrorOf(Slot row, Edge edge) {
  const absl::Span<Edge> others = rows_->Row(edge.neighbour()).edges;
  const std::size_t index = IndexOf(others, row);
  assert(index < others.size());
  return others[index];
}

std::uint8_t& SubscriptionRegistry::TickOf(Slot row, const Edge& edge) {
  const RowView view = rows_->Row(row);
  const std::ptrdiff_t index = &edge - view.edges.data();
  assert(index >= 0 && static_cast<std::size_t>(index) < view.edges.size());  // Not of a copy.
  return view.ticks[index];
}

std::uint8_t SubscriptionRegistry::TickOf(Slot row, const Edge& edge) const {
  return const_cast<SubscriptionRegistry*>(this)->TickOf(row, edge);
}

void SubscriptionRegistry::PrefetchHead(Slot slot) const { rows_->PrefetchHead(slot); }

void SubscriptionRegistry::PrefetchRow(Slot slot, std::size_t lines) const {
  rows_->PrefetchBlock(slot, lines);
}

void SubscriptionRegistry::PrefetchRowEnd(Slot slot) const { rows_->PrefetchEnd(slot); }

bool SubscriptionRegistry::FirstIn(Slot channel) {
  assert(!Row(channel).empty());
  return channels_->Subscribe(channel);
}

void SubscriptionRegistry::MaybeLastOut(Slot channel, Time now) {
  if (rows_->size(channel) == 0) channels_->SetIdle(channel, now);
}

bool SubscriptionRegistry::PopIdle(Time now, Slot* channel) {
  return channels_->PopIdle(now, channel);
}

Time SubscriptionRegistry::next_idle_check() const { return channels_->next_idle_check(); }

void SubscriptionRegistry::ForgetChannel(Slot channel) {
  assert(Row(channel).empty());
  channels_->Forget(channel);
}

bool SubscriptionRegistry::is_subscribed(Slot channel) const {
  return channels_->is_subscribed(channel);
}

std::size_t SubscriptionRegistry::row_bytes() const { return rows_->allocated_bytes(); }

absl::Status SubscriptionRegistry::CheckInvariants() const {
  if (absl::Status status = rows_->CheckInvariants(); !status.ok()) return status;
  std::vector<DirectedEdge> edges;
  for (std::uint32_t i = 0; i < rows_->slot_limit(); ++i) {
    const Slot slot{i};
    const absl::Span<const Edge> row = Row(slot);
    if (row.size() > max_row_) {
      return absl::InternalError(
          absl::StrCat("the row of slot ", i, " is too long: ", row.size(), " edges"));
    }
    if (!row.empty() && channels_->is_idle(slot)) {
      return absl::InternalError(absl::StrCat("channel ", i, " has listeners, but is idle"));
    }
    const std::size_t begin = edges.size();
    for (const Edge edge : row) edges.push_back(DirectedEdge{slot, edge});
    std::sort(edges.begin() + static_cast<std::ptrdiff_t>(begin), edges.end(), ByRowThenNeighbour);
    absl::Status status = CheckRow(absl::MakeConstSpan(edges).subspan(begin));
    if (!status.ok()) return status;
  }
  if (edges.size() != edge_count_) {
    return absl::InternalError(
        absl::StrCat("the rows hold ", edges.size(), " edges, not ", edge_count_));
  }
  return CheckMirrors(edges);
}

}  // namespace nearby
