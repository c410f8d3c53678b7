#include "examples/adapters/sqlite_friend_store.h"

#include <utility>
#include <variant>
#include <vector>

#include "examples/adapters/job_thread.h"
#include "examples/adapters/sqlite_database.h"
#include "examples/adapters/sqlite_friend_tables.h"

namespace adapters {

using nearby::FriendEdit;
using nearby::FriendshipOutcome;
using nearby::UserId;

// The thread that owns the tables.
class SqliteFriendStore::Worker {
 public:
  Worker(SqliteFriendTables tables, const Options& options)
      : tables_(std::move(tables)),
        thread_({options.max_waiting, options.max_batch},
                [this](std::vector<Job>* jobs) { Run(jobs); }) {}

  struct ListJob {
    UserId user{};
    ListDone done;
  };
  struct EditJob {
    FriendEdit edit;
    EditDone done;
  };
  struct Job {
    std::size_t weight() const { return 1; }
    // Edits that follow each other are committed together.
    bool JoinsWith(const Job& next) const {
      return std::holds_alternative<EditJob>(call) && std::holds_alternative<EditJob>(next.call);
    }

    std::variant<ListJob, EditJob> call;
  };

  // False, and the job as it was, if too many wait.
  bool Add(Job& job) { return thread_.Add(job); }

 private:
  void Run(std::vector<Job>* jobs) {
    if (auto* const list = std::get_if<ListJob>(&jobs->front().call)) {
      list->done(tables_.List(list->user));
    } else {
      EditAll(jobs);
    }
  }

  void EditAll(std::vector<Job>* jobs) {
    std::vector<FriendEdit> edits;
    for (const Job& job : *jobs) edits.push_back(std::get<EditJob>(job.call).edit);
    std::vector<absl::StatusOr<FriendshipOutcome>> outcomes;
    const absl::Status status = tables_.EditAll(edits, &outcomes);
    if (!status.ok()) outcomes.assign(edits.size(), status);
    for (std::size_t i = 0; i < jobs->size(); ++i) {
      std::get<EditJob>((*jobs)[i].call).done(std::move(outcomes[i]));
    }
  }

  SqliteFriendTables tables_;  // the thread's alone
  JobThread<Job> thread_;      // last: it uses the tables
};

namespace {

absl::Status TooManyWait() {
  return absl::ResourceExhaustedError("the friend store has too much to do");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteFriendStore>> SqliteFriendStore::Open(const std::string& path,
                                                                           const Options& options) {
  absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path);
  if (!database.ok()) return database.status();
  absl::StatusOr<SqliteFriendTables> tables =
      SqliteFriendTables::Create(*std::move(database), options.limits);
  if (!tables.ok()) return tables.status();
  return std::unique_ptr<SqliteFriendStore>(
      new SqliteFriendStore(std::make_unique<Worker>(*std::move(tables), options)));
}

SqliteFriendStore::SqliteFriendStore(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}

SqliteFriendStore::~SqliteFriendStore() = default;

void SqliteFriendStore::List(UserId user, ListDone done) {
  Worker::Job job{Worker::ListJob{user, std::move(done)}};
  if (worker_->Add(job)) return;
  std::get<Worker::ListJob>(job.call).done(TooManyWait());
}

void SqliteFriendStore::Edit(const FriendEdit& edit, EditDone done) {
  Worker::Job job{Worker::EditJob{edit, std::move(done)}};
  if (worker_->Add(job)) return;
  std::get<Worker::EditJob>(job.call).done(TooManyWait());
}

}  // namespace adapters
