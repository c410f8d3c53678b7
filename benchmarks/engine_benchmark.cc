// The engine beside the textbook's way (benchmarks/capacity/textbook.h). Both settle both
// directions of each pair and produce the same kinds of deliveries over the same world: 100,000
// users with 40 friends, all online, some 11 % of whom are within five miles.
//
// Each benchmark that is named "...Compared" runs both in turn, batch by batch, and reports their
// quotient, so that what else the machine does falls on both alike.

#include "nearby/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/capacity/textbook.h"

namespace nearby {
namespace {

constexpr std::uint32_t kUsers = 100'000;
constexpr std::uint32_t kFriends = 40;
constexpr std::size_t kBatch = 1024;

/// Who is whose friend and where everybody is. Friends live in the same region of some 24 by 24 km,
/// so that about every ninth is within five miles.
struct World {
  std::vector<std::vector<std::uint32_t>> friends;
  std::vector<LatLng> locations;
  std::vector<std::uint32_t> order;  ///< In which users report.
};

World MakeWorld() {
  constexpr std::uint32_t kRegion = 500;  // users
  std::mt19937_64 random(1);
  const auto fraction = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<std::uint32_t> offsets(kRegion / 2 - 1);
  std::iota(offsets.begin(), offsets.end(), 1);
  World world;
  world.friends.resize(kUsers);
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    const std::uint32_t region = user / kRegion;
    // The same steps round the region for all its users make friendship mutual.
    if (user % kRegion == 0) std::shuffle(offsets.begin(), offsets.end(), random);
    for (std::uint32_t i = 0; i < kFriends / 2; ++i) {
      const std::uint32_t place = user % kRegion;
      world.friends[user].push_back(region * kRegion + (place + offsets[i]) % kRegion);
      world.friends[user].push_back(region * kRegion + (place + kRegion - offsets[i]) % kRegion);
    }
    world.locations.push_back({40 + 0.05 * region + 0.4 * fraction(), -100 + 0.5 * fraction()});
    world.order.push_back(user);
  }
  std::shuffle(world.order.begin(), world.order.end(), random);
  return world;
}

const World& TheWorld() {
  static const World* const world = new World(MakeWorld());
  return *world;
}

/// Ids as hosts have them: spread over 64 bits.
UserId IdOf(std::uint32_t user) { return UserId{(user + 1) * 0x9E3779B97F4A7C15u}; }

/// Where a user is at the n-th report: some ten metres from the last place, back and forth.
LatLng Step(LatLng from, std::size_t n) { return {from.lat + (n % 2 == 0 ? 0 : 1e-4), from.lng}; }

std::vector<FriendEntry> ListOf(const World& world, std::uint32_t user) {
  std::vector<FriendEntry> list;
  list.reserve(world.friends[user].size());
  for (const std::uint32_t other : world.friends[user]) {
    list.push_back({IdOf(other), Friendship{/*friends=*/true}});
  }
  return list;
}

/// An engine with everybody connected.
struct LoadedEngine {
  explicit LoadedEngine(const World& world) : engine(*Engine::Create(EngineOptions())) {
    Effects effects;
    engine->Advance({0}, &effects).IgnoreError();
    clients.reserve(kUsers);
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      clients.push_back(*engine->Connect({IdOf(user), user, {}}, &effects));
      engine->FriendsLoaded(clients.back(), FriendVersion{1}, ListOf(world, user), &effects)
          .IgnoreError();
      effects.Clear();
    }
  }

  std::unique_ptr<Engine> engine;
  std::vector<ClientHandle> clients;
};

LoadedEngine& TheEngine() {
  static LoadedEngine* const loaded = new LoadedEngine(TheWorld());
  return *loaded;
}

capacity::Textbook MakeTextbook(const World& world) {
  capacity::Textbook textbook(kUsers);
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    std::vector<UserId> friends;
    friends.reserve(world.friends[user].size());
    for (const std::uint32_t other : world.friends[user]) friends.push_back(IdOf(other));
    textbook.Add(IdOf(user), user, std::move(friends));
  }
  return textbook;
}

capacity::Textbook& TheTextbook() {
  static auto* const textbook = new capacity::Textbook(MakeTextbook(TheWorld()));
  return *textbook;
}

/// Goes round all users, a batch at a time, moving each a little every round.
class Rounds {
 public:
  template <typename Visit>
  void NextBatch(const Visit& visit) {
    const World& world = TheWorld();
    for (std::size_t i = 0; i < kBatch; ++i) {
      const std::uint32_t user = world.order[next_ % kUsers];
      visit(user, Step(world.locations[user], next_ / kUsers));
      ++next_;
    }
  }

 private:
  std::size_t next_ = 0;
};

std::size_t ReportBatch(Rounds& rounds, std::vector<LocationReport>& reports, Effects& effects) {
  LoadedEngine& loaded = TheEngine();
  reports.clear();
  rounds.NextBatch([&](std::uint32_t user, LatLng location) {
    reports.push_back({loaded.clients[user], location, {0}});
  });
  effects.Clear();
  loaded.engine->ReportAll(reports, nullptr, &effects);
  return effects.deliveries.size();
}

std::size_t TextbookBatch(Rounds& rounds, std::vector<Delivery>& deliveries) {
  deliveries.clear();
  rounds.NextBatch([&](std::uint32_t user, LatLng location) {
    TheTextbook().Report({IdOf(user), location, {0}}, {0}, &deliveries);
  });
  return deliveries.size();
}

void SetRates(benchmark::State& state, std::size_t deliveries) {
  const double reports = static_cast<double>(state.iterations()) * kBatch;
  state.SetItemsProcessed(static_cast<std::int64_t>(reports));
  state.counters["pairs/s"] = benchmark::Counter(reports * kFriends, benchmark::Counter::kIsRate);
  state.counters["deliveries/report"] = static_cast<double>(deliveries) / reports;
}

/// Everybody has reported once: the first round is all enters.
void WarmUp(Rounds& rounds) {
  Effects effects;
  std::vector<LocationReport> reports;
  std::vector<Delivery> deliveries;
  Rounds same = rounds;
  for (std::size_t i = 0; i <= kUsers / kBatch; ++i) {
    ReportBatch(rounds, reports, effects);
    TextbookBatch(same, deliveries);
  }
}

void BM_EngineReport(benchmark::State& state) {
  Rounds rounds;
  WarmUp(rounds);
  Effects effects;
  std::vector<LocationReport> reports;
  std::size_t deliveries = 0;
  for (auto _ : state) deliveries += ReportBatch(rounds, reports, effects);
  SetRates(state, deliveries);
}
BENCHMARK(BM_EngineReport)->Unit(benchmark::kMicrosecond);

void BM_TextbookReport(benchmark::State& state) {
  Rounds rounds;
  WarmUp(rounds);
  std::vector<Delivery> batch;
  std::size_t deliveries = 0;
  for (auto _ : state) deliveries += TextbookBatch(rounds, batch);
  SetRates(state, deliveries);
}
BENCHMARK(BM_TextbookReport)->Unit(benchmark::kMicrosecond);

void BM_ReportCompared(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  Rounds of_engine;
  WarmUp(of_engine);
  Rounds of_textbook = of_engine;
  Effects effects;
  std::vector<LocationReport> reports;
  std::vector<Delivery> batch;
  std::chrono::duration<double> engine_time{0};
  std::chrono::duration<double> textbook_time{0};
  std::size_t deliveries = 0;
  std::size_t textbook_deliveries = 0;
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    deliveries += ReportBatch(of_engine, reports, effects);
    const Clock::time_point between = Clock::now();
    textbook_deliveries += TextbookBatch(of_textbook, batch);
    engine_time += between - start;
    textbook_time += Clock::now() - between;
  }
  // Both did the same work, or the quotient means nothing. At the boundary they may differ by a
  // rounding.
  const auto difference =
      static_cast<double>(deliveries) - static_cast<double>(textbook_deliveries);
  if (std::abs(difference) > 1e-4 * static_cast<double>(deliveries)) {
    state.SkipWithError("the two delivered differently");
  }
  state.counters["textbook/engine"] = textbook_time / engine_time;
  state.counters["engine_ns/report"] =
      1e9 * engine_time.count() / (static_cast<double>(state.iterations()) * kBatch);
}
BENCHMARK(BM_ReportCompared)->Unit(benchmark::kMicrosecond);

void BM_DisconnectAndConnect(benchmark::State& state) {
  LoadedEngine& loaded = TheEngine();
  const World& world = TheWorld();
  Effects effects;
  std::size_t next = 0;
  for (auto _ : state) {
    const std::uint32_t user = world.order[next++ % kUsers];
    effects.Clear();
    state.PauseTiming();
    const std::vector<FriendEntry> list = ListOf(world, user);
    state.ResumeTiming();
    loaded.engine->Disconnect(loaded.clients[user], &effects).IgnoreError();
    loaded.clients[user] = *loaded.engine->Connect({IdOf(user), user, {}}, &effects);
    loaded.engine->FriendsLoaded(loaded.clients[user], FriendVersion{1}, list, &effects)
        .IgnoreError();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_DisconnectAndConnect)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nearby
