#include "examples/adapters/sqlite_history_store.h"

#include <utility>
#include <variant>
#include <vector>

#include "examples/adapters/job_thread.h"
#include "examples/adapters/sqlite_database.h"
#include "examples/adapters/sqlite_history_table.h"

namespace adapters {

using nearby::AcceptedLocation;

// The thread that owns the table.
class SqliteHistoryStore::Worker {
 public:
  Worker(SqliteHistoryTable table, const Options& options)
      : table_(std::move(table)),
        thread_({options.max_waiting, options.max_batch},
                [this](std::vector<Job>* jobs) { Run(jobs); }) {}

  struct AppendJob {
    std::vector<AcceptedLocation> locations;
    Done done;
  };
  struct ReadJob {
    Query query;
    ReadDone done;
  };
  struct Job {
    std::size_t weight() const {
      const auto* const append = std::get_if<AppendJob>(&call);
      return append == nullptr ? 1 : 1 + append->locations.size();
    }
    // Appends that follow each other are committed together.
    bool JoinsWith(const Job& next) const {
      return std::holds_alternative<AppendJob>(call) &&
             std::holds_alternative<AppendJob>(next.call);
    }

    std::variant<AppendJob, ReadJob> call;
  };

  // False, and the job as it was, if too much waits.
  bool Add(Job& job) { return thread_.Add(job); }

 private:
  void Run(std::vector<Job>* jobs) {
    if (auto* const read = std::get_if<ReadJob>(&jobs->front().call)) {
      read->done(table_.Read(read->query));
    } else {
      AppendAll(jobs);
    }
  }

  void AppendAll(std::vector<Job>* jobs) {
    std::vector<std::vector<AcceptedLocation>> batches;
    for (Job& job : *jobs) batches.push_back(std::move(std::get<AppendJob>(job.call).locations));
    const absl::Status status = table_.Append(batches);
    for (Job& job : *jobs) {
      // A status of its own for each: they go separate ways, to separate threads.
      std::get<AppendJob>(job.call).done(absl::Status(status.code(), status.message()));
    }
  }

  SqliteHistoryTable table_;  // the thread's alone
  JobThread<Job> thread_;     // last: it uses the table
};

namespace {

absl::Status TooMuchWaits() {
  return absl::ResourceExhaustedError("the history store has too much to do");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteHistoryStore>> SqliteHistoryStore::Open(
    const std::string& path, const Options& options) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path);
  if (!database.ok()) return database.status();
  absl::StatusOr<SqliteHistoryTable> table =
      SqliteHistoryTable::Create(*std::move(database), options.keep);
  if (!table.ok()) return table.status();
  return std::unique_ptr<SqliteHistoryStore>(
      new SqliteHistoryStore(std::make_unique<Worker>(*std::move(table), options)));
}

SqliteHistoryStore::SqliteHistoryStore(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)) {}
SqliteHistoryStore::~SqliteHistoryStore() = default;

void SqliteHistoryStore::Append(absl::Span<const AcceptedLocation> locations, Done done) {
  Worker::Job job{Worker::AppendJob{{locations.begin(), locations.end()}, std::move(done)}};
  if (worker_->Add(job)) return;
  std::get<Worker::AppendJob>(job.call).done(TooMuchWaits());
}

void SqliteHistoryStore::Read(const Query& query, ReadDone done) {
  Worker::Job job{Worker::ReadJob{query, std::move(done)}};
  if (worker_->Add(job)) return;
  std::get<Worker::ReadJob>(job.call).done(TooMuchWaits());
}

}  // namespace adapters
