#include "tests/sim/catch_bugs.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/report.h"
#include "tests/sim/seeds.h"

namespace nearby::sim {
namespace {

using Rings = std::vector<RingSource::Ring>;

// What a child has found so far, in memory that its parent sees as well.
struct Progress {
  std::uint64_t seed = 0;  // that is being run, or was last
  Report report;
};
static_assert(std::is_trivially_destructible_v<Progress>);

class SharedProgress {
 public:
  SharedProgress() {
    void* const memory =
        mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      std::perror("mmap");
      std::exit(2);
    }
    progress_ = ::new (memory) Progress();
  }
  ~SharedProgress() { munmap(progress_, sizeof(Progress)); }
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;

  Progress* operator->() { return progress_; }

 private:
  Progress* progress_;
};

// Runs seeds until one of them is not right.
void RunSeeds(const Arguments& arguments, const Rings& rings, SharedProgress* progress) {
  for (std::uint64_t seed = arguments.first_seed; seed <= arguments.last_seed; ++seed) {
    (*progress)->seed = seed;
    if (!RunSeed(arguments.world, rings, seed, &(*progress)->report)) return;
  }
}

// The same in a child. What it ended with: 0 unless it died.
int RunSeedsApart(PlantedBug bug, const Arguments& arguments, const Rings& rings,
                  SharedProgress* progress) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (child == 0) {
    Plant(bug);
    RunSeeds(arguments, rings, progress);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) {
    std::perror("waitpid");
    std::exit(2);
  }
  return status;
}

bool IsAssertion(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT; }

std::string HowItDied(int status) {
  if (IsAssertion(status)) return "an assertion failed";
  if (WIFSIGNALED(status)) return absl::StrCat("ended by signal ", WTERMSIG(status));
  return absl::StrCat("ended with exit code ", WEXITSTATUS(status));
}

// Whether it has been caught, by a seed that without it is right; says after how many.
bool Catch(const BugName& bug, const Arguments& arguments, const Rings& rings) {
  SharedProgress progress;
  const int status = RunSeedsApart(bug.bug, arguments, rings, &progress);
  Report& report = progress->report;
  if (status != 0) report.AddDeath(progress->seed, HowItDied(status));
  Report without;
  const bool is_caught =
      report.violations() != 0 && RunSeed(arguments.world, rings, progress->seed, &without);
  const char* by = status == 0 ? "" : IsAssertion(status) ? " by an assertion" : " by a crash";
  std::printf("bug %s: %s%s after %" PRIu64 " seeds\n", bug.name,
              is_caught ? "caught" : "NOT CAUGHT", by, report.seeds());
  if (arguments.is_verbose) report.PrintFaults();
  report.PrintSummary();
  return is_caught;
}

}  // namespace

int CatchBugs(const Arguments& arguments, const Rings& rings) {
  bool are_caught = true;
  for (const BugName& bug : AllBugs()) {
    const bool is_asked_for =
        arguments.task == Arguments::Task::kCatchAll || bug.bug == arguments.bug;
    if (is_asked_for && !Catch(bug, arguments, rings)) are_caught = false;
  }
  return are_caught ? 0 : 1;
}

}  // namespace nearby::sim
