// replay_check: plays a trace through an oracle of its own and compares the events that
// nearby_replay wrote. Exit status 0: no difference; 1: differences; 2: wrong usage or input.

#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "tests/replay/replay_oracle.h"

namespace {

constexpr char kUsage[] =
    "usage: replay_check --friends FILE --trace FILE --events FILE [--radius-m METRES] [--ttl-s "
    "SECONDS]\n";

// The flags by name; false if they are not what kUsage says.
bool ParseFlags(int argc, char** argv, replay_oracle::Question* question) {
  const std::map<std::string, std::string*> paths = {{"--friends", &question->friends_path},
                                                     {"--trace", &question->trace_path},
                                                     {"--events", &question->events_path}};
  const std::map<std::string, double*> numbers = {{"--radius-m", &question->radius_m},
                                                  {"--ttl-s", &question->ttl_s}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (const auto path = paths.find(argv[i]); path != paths.end()) {
      *path->second = argv[i + 1];
    } else if (const auto number = numbers.find(argv[i]); number != numbers.end()) {
      *number->second = replay_oracle::ParseDouble(argv[i + 1]);
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !question->friends_path.empty() && !question->trace_path.empty() &&
         !question->events_path.empty();
}

void Print(const replay_oracle::Verdict& verdict) {
  std::cout << "rows " << verdict.rows << ", users " << verdict.users << "\n";
  std::size_t events = 0;
  for (const auto& [kind, count] : verdict.expected) {
    std::cout << kind << " " << count << "\n";
    events += count;
  }
  std::cout << "events " << events << "\n"
            << "within 2 cm of a radius, answer taken as given: " << verdict.on_boundary << "\n"
            << "largest error of a distance: " << verdict.largest_error_m << " m\n"
            << "differences " << verdict.differences << "\n";
  for (const std::string& difference : verdict.first_differences) {
    std::cout << "  " << difference << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    replay_oracle::Question question;
    if (!ParseFlags(argc, argv, &question)) {
      std::cerr << kUsage;
      return 2;
    }
    const replay_oracle::Verdict verdict = replay_oracle::CheckReplay(question);
    Print(verdict);
    return verdict.differences == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "replay_check: " << error.what() << "\n";
    return 2;
  }
}
