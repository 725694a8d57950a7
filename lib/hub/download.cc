// SPDX-License-Identifier: Apache-2.0
#include "hub/download.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <sys/stat.h>
#include <thread>

#include "hub/audit.h"
#include "hub/blob.h"
#include "hub/fetch.h"
#include "hub/file_lock.h"
#include "hub/http.h"
#include "hub/layout.h"
#include "hub/protocol.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTurnMs = 100;                  // of one next()
constexpr size_t kHashBytes = 1 << 20;        // read at once
constexpr uint64_t kCopyBytes = 64 << 20;     // copied at once
constexpr uint64_t kUnmarkedBytes = 8 << 20;  // landed, not yet marked, for each connection
constexpr auto kSpeedWindow = std::chrono::seconds(5);

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, kTurnMs));
}

// Threads of ours take no signals that are meant for the host.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// One content that is not settled yet.
struct Job {
  std::unique_ptr<Blob> blob;
  std::string source;  // to be copied from first
  uint64_t copied = 0;
  int mismatches = 0;
  bool is_settled = false;
  std::vector<size_t> places;  // in files
};

}  // namespace

struct Transfer::State {
  Options options;
  Plan plan;
  TransferOptions transfer;
  Disk& disk;
  Layout layout;
  Endpoint endpoint;
  std::unique_ptr<HttpClient> client;
  std::optional<FileLock> lock;
  std::optional<VerifiedRecord> verified;
  Meeting meeting;
  std::deque<Job> jobs;
  std::unique_ptr<Fetcher> fetcher;  // refers to blobs: goes before them

  std::vector<TransferFile> files;
  std::vector<uint64_t> settled;  // bytes, by file, of those without a job
  Progress progress;
  Status failure;
  std::deque<std::pair<Clock::time_point, uint64_t>> samples;

  std::atomic<bool> is_cancelled{false};
  std::atomic<bool> is_paused{false};
  std::atomic<uint64_t> rate_limit;

  enum class Phase { kLock, kCopy, kWork, kPublish, kEnd };
  Phase phase = Phase::kLock;

  State(Options given, Plan planned, TransferOptions how, Endpoint hub)
      : options(std::move(given)),
        plan(std::move(planned)),
        transfer(how),
        disk(how.disk ? *how.disk : Disk::real()),
        layout(plan.destination.local_dir.empty()
                   ? Layout::cache(plan.destination.cache_dir, plan.repo)
                   : Layout::local(plan.destination.local_dir)),
        endpoint(std::move(hub)),
        rate_limit(options.rate_limit) {}

  Status begin();
  Status take_lock();
  Status add_job(size_t index, const PlannedFile& planned);
  Status copy();
  Status work();
  void sync_until_ended(Status& status);
  void hash_until_ended(Status& status);
  bool is_all_settled() const;
  Status settle();
  Status settle_right(Job& job);
  Status settle_wrong(Job& job);
  Status publish();
  Status turn();
  void report();
  void audit(const Status& result);
  std::vector<File> selected() const {
    std::vector<File> out;
    for (const PlannedFile& planned : plan.files) out.push_back(planned.file);
    return out;
  }
};

Status Transfer::State::take_lock() {
  VITALIS_TRY(layout.prepare());
  VITALIS_ASSIGN(lock, FileLock::try_take(layout.lock_path()));
  if (lock) {
    progress.stage = Progress::Stage::kWorking;
    progress.note.clear();
    return begin();
  }
  progress.stage = Progress::Stage::kLocked;
  progress.note = FileLock::holder(layout.lock_path()) + " is at work on " + layout.root;
  if (!is_cancelled) client->poll(kTurnMs);
  return {};
}

// With the lock: what another process did meanwhile counts.
Status Transfer::State::begin() {
  VITALIS_TRY(layout.prepare());  // they may have been removed while we waited
  if (layout.is_local) {
    VITALIS_TRY(finish_publication(disk, layout));
  } else if (transfer.switch_revision && !is_commit(plan.revision)) {
    VITALIS_ASSIGN(const RepoState known, load_state(layout));
    if (!known.pin.empty() && known.pin != plan.commit) {
      return error(Code::kDenied, plan.repo, " is pinned to ", known.pin, ": ", plan.revision,
                   " may not become ", plan.commit);
    }
  }
  VITALIS_ASSIGN(plan, make_plan(plan.listing, selected(), plan.destination));
  VITALIS_TRY(check_space(plan));
  if (options.offline && plan.bytes_to_fetch > 0) {
    return error(Code::kNetwork, plan.repo, " at ", plan.revision, ": offline mode is on, and ",
                 plan.bytes_to_fetch, " bytes are not here yet");
  }
  verified = VerifiedRecord::load(layout);
  fetcher = std::make_unique<Fetcher>(*client, endpoint, options, plan.repo, plan.commit);
  settled.assign(plan.files.size(), 0);
  files.clear();
  for (const PlannedFile& planned : plan.files) {
    files.push_back({.path = planned.file.path, .size = planned.file.size});
  }
  // Small files first: what refuses them refuses the rest.
  std::vector<size_t> order(plan.files.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return (plan.files[a].file.size > kPieceBytes) < (plan.files[b].file.size > kPieceBytes);
  });
  for (const size_t index : order) VITALIS_TRY(add_job(index, plan.files[index]));
  phase = Phase::kCopy;
  return {};
}

Status Transfer::State::add_job(size_t index, const PlannedFile& planned) {
  const File& file = planned.file;
  if (planned.need == Need::kNothing) {
    settled[index] = file.size;
    return {};
  }
  if (planned.need != Need::kVerify) {
    for (Job& job : jobs) {
      if (!job.blob->is_part() || job.blob->file().etag() != file.etag()) continue;
      job.places.push_back(index);
      return {};
    }
  }
  Job job{.places = {index}};
  if (planned.need == Need::kVerify) {
    VITALIS_ASSIGN(job.blob, Blob::open_whole(disk, meeting, layout.final_path(file), file));
  } else {
    VITALIS_ASSIGN(job.blob, Blob::open_part(disk, meeting, layout, file));
    if (planned.need == Need::kCopy) job.source = planned.source;
  }
  jobs.push_back(std::move(job));
  if (jobs.back().blob->is_part() && jobs.back().source.empty()) {
    fetcher->add(jobs.back().blob.get());
  }
  return {};
}

Status Transfer::State::copy() {
  const auto end = Clock::now() + std::chrono::milliseconds(kTurnMs);
  for (Job& job : jobs) {
    if (job.source.empty()) continue;
    const uint64_t size = job.blob->file().size;
    VITALIS_ASSIGN(const OpenFile from, open_to_read(job.source));
    while (job.copied < size) {
      if (is_cancelled || Clock::now() >= end) return {};
      const uint64_t now = std::min(kCopyBytes, size - job.copied);
      VITALIS_TRY(copy_contents(from, job.blob->open_file(), job.copied, now));
      job.copied += now;
    }
    job.source.clear();
    job.blob->land_all();
    fetcher->add(job.blob.get());  // in case it is not what it should be
  }
  phase = Phase::kWork;
  return {};
}

void Transfer::State::sync_until_ended(Status& status) {
  while (true) {
    bool did = false;
    for (Job& job : jobs) {
      if (job.is_settled) continue;
      auto marked = job.blob->mark();
      if (!marked.ok()) {
        status = marked.status();
        return;
      }
      did |= *marked;
    }
    if (did) client->wake();  // it may have held for this
    std::unique_lock guard(meeting.mutex);
    if (meeting.is_ending) return;
    if (!did) meeting.changed.wait_for(guard, std::chrono::milliseconds(kTurnMs));
  }
}

void Transfer::State::hash_until_ended(Status& status) {
  std::vector<std::byte> buffer(kHashBytes);
  while (true) {
    bool did = false;
    for (Job& job : jobs) {
      if (job.is_settled) continue;
      auto hashed = job.blob->hash_some(buffer);
      if (!hashed.ok()) {
        status = hashed.status();
        return;
      }
      did |= *hashed;
      if (did) break;  // the first that has something
    }
    std::unique_lock guard(meeting.mutex);
    if (meeting.is_ending) return;
    if (!did) meeting.changed.wait_for(guard, std::chrono::milliseconds(kTurnMs));
  }
}

bool Transfer::State::is_all_settled() const {
  return std::all_of(jobs.begin(), jobs.end(),
                     [](const Job& job) { return job.is_settled || job.blob->is_settled(); });
}

Status Transfer::State::work() {
  const auto end = Clock::now() + std::chrono::milliseconds(kTurnMs);
  Status synced, hashed, fetched;
  {
    meeting.is_ending = false;
    std::thread syncer, hasher;
    {
      const SignalsBlocked guard;
      syncer = std::thread([&] { sync_until_ended(synced); });
      hasher = std::thread([&] { hash_until_ended(hashed); });
    }
    fetcher->set_rate_limit(rate_limit);
    while (fetched.ok() && !is_cancelled && !is_all_settled()) {
      const int left = milliseconds_until(end);
      if (left == 0) break;
      uint64_t unmarked = 0;
      for (const Job& job : jobs) {
        if (!job.is_settled) unmarked += job.blob->unmarked_bytes();
      }
      const bool held = is_paused || unmarked > options.connections * kUnmarkedBytes;
      fetched = fetcher->step(fetcher->is_done() ? std::min(left, 5) : left, held);
    }
    {
      const std::lock_guard guard(meeting.mutex);
      meeting.is_ending = true;
      meeting.changed.notify_all();
    }
    syncer.join();
    hasher.join();
  }
  VITALIS_TRY(synced);
  VITALIS_TRY(hashed);
  VITALIS_TRY(settle());
  return fetched;
}

Status Transfer::State::settle() {
  bool all = true;
  for (Job& job : jobs) {
    if (!job.is_settled && job.blob->is_settled()) {
      VITALIS_TRY(job.blob->is_right() ? settle_right(job) : settle_wrong(job));
    }
    all &= job.is_settled;
  }
  if (all) phase = Phase::kPublish;
  return {};
}

Status Transfer::State::settle_right(Job& job) {
  const File& file = job.blob->file();
  job.is_settled = true;
  for (const size_t place : job.places) settled[place] = file.size;
  if (job.blob->is_part()) {
    if (!layout.is_local) {
      ::fchmod(job.blob->open_file().descriptor(), 0444);
      VITALIS_TRY(disk.rename(layout.part_path(file), layout.blob_path(file)));
    }
    VITALIS_TRY(job.blob->remove_journal());
  }
  if (!job.blob->is_part() || !layout.is_local) VITALIS_TRY(verified->add(disk, file));
  return {};
}

Status Transfer::State::settle_wrong(Job& job) {
  const File& file = job.blob->file();
  const std::string sentence =
      text(plan.repo, " at ", plan.commit.substr(0, 7), ": ", file.path, ": expected digest ",
           file.etag(), ", found ", job.blob->digest());
  if (options.offline) {
    return error(Code::kIntegrity, sentence, "; offline mode is on, and it can't be fetched again");
  }
  if (!job.blob->is_part()) {
    // What is there under the file's own name is not the file: a good one is fetched beside it.
    endpoint.notice(sentence + " on this machine; fetching it again");
    VITALIS_ASSIGN(job.blob, Blob::open_part(disk, meeting, layout, file));
    fetcher->add(job.blob.get());
    return {};
  }
  if (++job.mismatches > 1) {
    VITALIS_TRY(job.blob->discard());
    return error(Code::kIntegrity, sentence,
                 ", twice; the bytes were not kept. The hub, a mirror or a proxy between changes "
                 "them");
  }
  endpoint.notice(sentence + "; fetching it again");
  VITALIS_TRY(job.blob->restart());
  fetcher->fetch_anew(job.blob.get());
  return {};
}

Status Transfer::State::publish() {
  const std::vector<File> wanted = selected();
  if (layout.is_local) {
    VITALIS_TRY(publish_local(disk, layout, plan.listing, wanted));
    for (const Job& job : jobs) {
      for (const size_t place : job.places) {
        VITALIS_TRY(verified->add(disk, plan.files[place].file));
      }
    }
  } else {
    VITALIS_TRY(publish_snapshot(disk, layout, plan.listing, wanted));
  }
  std::string before;
  if (!layout.is_local) {
    VITALIS_ASSIGN(before, read_ref(layout, plan.revision));
    if (transfer.switch_revision) {
      VITALIS_TRY(hub::switch_revision(disk, layout, plan.revision, plan.commit));
    }
  }
  AuditEntry entry{.action = transfer.reason,
                   .repo = plan.repo,
                   .revision = plan.revision,
                   .from = before,
                   .to = plan.commit};
  for (const Job& job : jobs) entry.files.push_back(job.blob->file());
  if (!jobs.empty() || before != plan.commit) {
    VITALIS_TRY(append_audit(layout.audit_path(), entry));
  }
  phase = Phase::kEnd;
  progress.stage = Progress::Stage::kDone;
  return {};
}

void Transfer::State::audit(const Status& result) {
  if (!lock) return;
  // The failure itself is what the caller hears; a log that can't be written adds nothing to it.
  (void)append_audit(layout.audit_path(), {.action = transfer.reason,
                                           .repo = plan.repo,
                                           .revision = plan.revision,
                                           .to = plan.commit,
                                           .result = result.message()});
}

void Transfer::State::report() {
  for (size_t i = 0; i < settled.size(); ++i) {
    TransferFile& file = files[i];
    if (settled[i] < file.size) continue;
    file.landed = file.verified = file.size;
    file.state = TransferFile::State::kDone;
  }
  for (const Job& job : jobs) {
    if (job.is_settled) continue;
    const uint64_t landed = job.source.empty() ? job.blob->landed_bytes() : job.copied;
    for (const size_t place : job.places) {
      TransferFile& file = files[place];
      file.landed = landed;
      file.verified = job.blob->hashed_bytes();
      file.state = landed == file.size ? TransferFile::State::kVerifying
                   : landed > 0        ? TransferFile::State::kFetching
                                       : TransferFile::State::kWaiting;
    }
  }
  progress.bytes_total = progress.bytes_landed = progress.bytes_verified = 0;
  for (const TransferFile& file : files) {
    progress.bytes_total += file.size;
    progress.bytes_landed += file.landed;
    progress.bytes_verified += file.verified;
  }
  if (!fetcher) return;
  progress.bytes_fetched = fetcher->bytes_fetched();
  progress.connections = fetcher->active();
  progress.note = phase == Phase::kWork ? fetcher->note() : "";
  const auto now = Clock::now();
  samples.emplace_back(now, progress.bytes_fetched);
  while (samples.size() > 2 && now - samples.front().first > kSpeedWindow) samples.pop_front();
  const double seconds = std::chrono::duration<double>(now - samples.front().first).count();
  progress.bytes_per_second =
      seconds > 0 ? static_cast<double>(progress.bytes_fetched - samples.front().second) / seconds
                  : 0;
  const auto left = static_cast<double>(progress.bytes_total - progress.bytes_landed);
  progress.seconds_left = progress.bytes_per_second > 0 ? left / progress.bytes_per_second
                          : left == 0                   ? 0
                                                        : -1;
}

Status Transfer::State::turn() {
  if (is_cancelled) {
    if (fetcher) fetcher->stop();
    phase = Phase::kEnd;
    progress.stage = Progress::Stage::kCancelled;
    lock.reset();
    return {};
  }
  switch (phase) {
    case Phase::kLock:
      return take_lock();
    case Phase::kCopy:
      return copy();
    case Phase::kWork:
      progress.stage = is_paused ? Progress::Stage::kPaused : Progress::Stage::kWorking;
      return work();
    case Phase::kPublish:
      return publish();
    case Phase::kEnd:
      return {};
  }
  return {};
}

Transfer::Transfer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transfer::Transfer(Transfer&& other) noexcept = default;
Transfer& Transfer::operator=(Transfer&& other) noexcept = default;
Transfer::~Transfer() = default;

Result<Transfer> Transfer::create(Options options, Plan plan, TransferOptions transfer) {
  VITALIS_TRY(check_space(plan));
  if (options.offline && plan.bytes_to_fetch > 0) {
    return error(Code::kNetwork, plan.repo, " at ", plan.revision, ": offline mode is on, and ",
                 plan.bytes_to_fetch, " bytes are not here yet");
  }
  VITALIS_ASSIGN(Endpoint endpoint, Endpoint::create(options));
  VITALIS_ASSIGN(auto client, HttpClient::create(options));
  auto state = std::make_unique<State>(std::move(options), std::move(plan), std::move(transfer),
                                       std::move(endpoint));
  state->client = std::move(client);
  for (const PlannedFile& planned : state->plan.files) {
    state->files.push_back({.path = planned.file.path, .size = planned.file.size});
  }
  return Transfer(std::move(state));
}

Result<Progress> Transfer::next() {
  State& state = *state_;
  if (!state.failure.ok()) return state.failure;
  if (state.phase != State::Phase::kEnd) {
    state.failure = state.turn();
    if (!state.failure.ok()) {
      if (state.fetcher) state.fetcher->stop();
      state.audit(state.failure);
      state.lock.reset();
      return state.failure;
    }
    if (state.phase == State::Phase::kEnd) state.lock.reset();
    state.report();
  }
  return state.progress;
}

const Plan& Transfer::plan() const {
  return state_->plan;
}
const std::vector<TransferFile>& Transfer::files() const {
  return state_->files;
}
std::vector<std::string> Transfer::take_notices() {
  return state_->endpoint.take_notices();
}

void Transfer::pause() {
  state_->is_paused = true;
  state_->client->wake();
}

void Transfer::resume() {
  state_->is_paused = false;
  state_->client->wake();
}

void Transfer::cancel() {
  state_->is_cancelled = true;
  state_->client->wake();
}

void Transfer::set_rate_limit(uint64_t bytes_per_second) {
  state_->rate_limit = bytes_per_second;
}

}  // namespace vitalis::hub
