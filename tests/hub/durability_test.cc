// SPDX-License-Identifier: Apache-2.0
// What is left when a download ends in the middle: by a power cut, a full disk, a kill -9.
#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <random>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "hub/disk.h"
#include "hub/hub_fixture.h"
#include "hub/piece_journal.h"

extern char** environ;

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

// A disk whose writes are lost in a power cut unless they were synced.
class LossyDisk : public Disk {
 public:
  Status write_at(const OpenFile& file, std::span<const std::byte> bytes,
                  uint64_t offset) override {
    {
      const std::lock_guard lock(mutex_);
      if (writes_left_ < bytes.size()) return io_error("write to", file.path(), ENOSPC);
      writes_left_ -= bytes.size();
      unsynced_[file.path()].emplace_back(offset, bytes.size());
    }
    return Disk::write_at(file, bytes, offset);
  }
  Status append(const OpenFile& file, std::string_view text) override {
    {
      const std::lock_guard lock(mutex_);
      // Each piece marked now lies in bytes that were synced before.
      std::string part = file.path();
      if (part.ends_with(".pieces")) {
        part.resize(part.size() - 7);
        check_marks(part, text);
      }
      unsynced_[file.path()].emplace_back(fs::file_size(file.path()), text.size());
    }
    return Disk::append(file, text);
  }
  Status sync(const OpenFile& file) override {
    std::vector<Range> covered;
    {
      const std::lock_guard lock(mutex_);
      covered = unsynced_[file.path()];
    }
    VITALIS_TRY(Disk::sync(file));
    const std::lock_guard lock(mutex_);
    auto& ranges = unsynced_[file.path()];
    std::erase_if(ranges, [&](const Range& range) {
      return std::find(covered.begin(), covered.end(), range) != covered.end();
    });
    ++syncs_;
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    // What appears under its own name must not depend on luck.
    const bool may_be_lost = to.ends_with(".metadata");
    if (!unsynced_[from].empty() && !may_be_lost) early_renames_.push_back(to);
    unsynced_[to] = unsynced_[from];
    unsynced_.erase(from);
    return Disk::rename(from, to);
  }

  // The power goes: of each unsynced range a part is what it was before, or noise.
  void cut(std::minstd_rand& random) {
    for (const auto& [path, ranges] : unsynced_) {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (const auto& [offset, size] : ranges) {
        if (random() % 3 == 0) continue;
        const std::string noise(size, random() % 2 == 0 ? '\0' : '\xAA');
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
      }
    }
    unsynced_.clear();
  }

  void fill_after(uint64_t bytes) { writes_left_ = bytes; }
  size_t early_marks() const { return early_marks_; }
  size_t marks() const { return marks_; }
  size_t syncs() const { return syncs_; }
  const std::vector<std::string>& early_renames() const { return early_renames_; }

 private:
  using Range = std::pair<uint64_t, uint64_t>;

  void check_marks(const std::string& part, std::string_view text) {
    std::istringstream lines{std::string(text)};
    for (size_t first = 0, count = 0; lines >> first >> count;) {
      const uint64_t begin = first * kPieceBytes, end = begin + count * kPieceBytes;
      for (const auto& [offset, size] : unsynced_[part]) {
        if (offset < end && offset + size > begin) ++early_marks_;
      }
      marks_ += count;
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<Range>> unsynced_;
  std::vector<std::string> early_renames_;
  uint64_t writes_left_ = ~uint64_t{0};
  size_t early_marks_ = 0, marks_ = 0, syncs_ = 0;
};

class Durability : public HubTest {};

TEST_F(Durability, SyncsBeforeItMarksAndBeforeItNames) {
  const MockTree tree = model_tree(1, 60'000'000);
  const std::string commit = hub_.commit(kRepo, tree);
  LossyDisk disk;
  transfer_.disk = &disk;
  download();
  EXPECT_GE(disk.marks(), 20u);
  EXPECT_EQ(disk.early_marks(), 0u);
  EXPECT_GT(disk.syncs(), 0u);
  EXPECT_TRUE(disk.early_renames().empty()) << disk.early_renames().front();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

TEST_F(Durability, APowerCutCostsNoMoreThanWhatWasNotSynced) {
  const MockTree tree = model_tree(1, 60'000'000);
  const std::string commit = hub_.commit(kRepo, tree);
  std::minstd_rand random(7);
  Options how = options();
  how.rate_limit = 60'000'000;
  for (int cut = 0; cut < 3; ++cut) {
    LossyDisk disk;
    transfer_.disk = &disk;
    auto planned = plan(how);
    ASSERT_TRUE(planned.ok()) << planned.status().message();
    auto transfer = Transfer::create(how, *planned, transfer_);
    ASSERT_TRUE(transfer.ok());
    for (int turn = 0; turn < 7; ++turn) {
      const auto progress = transfer->next();
      ASSERT_TRUE(progress.ok()) << progress.status().message();
    }
    // The process goes first, without a chance to tidy up: what is destroyed here writes nothing.
    transfer = Status(Code::kIo, "gone");
    disk.cut(random);
  }
  transfer_.disk = nullptr;
  auto planned = plan(options());
  ASSERT_TRUE(planned.ok());
  EXPECT_GT(planned->bytes_reused, 0u);
  download();
  // No piece was believed that had not survived: else the digest would have been wrong once.
  EXPECT_FALSE(any_contains(notices_, "expected digest"));
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

TEST_F(Durability, AFullDiskIsToldAndLosesNothing) {
  const MockTree old_tree = model_tree(1);
  const std::string before = hub_.commit(kRepo, old_tree);
  download();
  const MockTree tree = model_tree(5, 40'000'000);
  const std::string commit = hub_.commit(kRepo, tree);
  LossyDisk disk;
  disk.fill_after(30'000'000);
  transfer_.disk = &disk;
  const std::string sentence = failure(Code::kIo);
  EXPECT_TRUE(contains(sentence, "No space left on device")) << sentence;
  EXPECT_TRUE(contains(sentence, "bytes are free there")) << sentence;
  EXPECT_EQ(contents_of(layout().ref_path("main")), before);
  expect_files(layout().snapshot_path(before), old_tree, kFilesForInference);
  transfer_.disk = nullptr;
  const Progress rest = download();
  EXPECT_LT(rest.bytes_fetched, rest.bytes_total - 8'000'000);
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

TEST_F(Durability, AJournalIsBelievedOnlyAsFarAsItIsWhole) {
  const File file{.path = "x", .size = 10 * kPieceBytes + 1, .sha256 = std::string(64, 'a')};
  std::vector<bool> landed(11);
  landed[0] = landed[1] = landed[10] = true;
  const std::string text = piece_journal_text(file, landed);
  EXPECT_EQ(parse_piece_journal(text, file), landed);
  const auto count = [&](const std::string& journal) {
    const auto pieces = parse_piece_journal(journal, file);
    return std::count(pieces.begin(), pieces.end(), true);
  };
  EXPECT_EQ(count(text.substr(0, text.size() - 1)), 2);  // "10 1" without its end
  EXPECT_EQ(count(text + "4 1"), 3);
  EXPECT_EQ(count(text + "4 \n5 1\n"), 3);
  EXPECT_EQ(count(text + std::string(8, '\0') + "5 1\n"), 3);
  EXPECT_EQ(count(text + "11 1\n"), 3);
  EXPECT_EQ(count(text + "5 18446744073709551615\n"), 3);
  EXPECT_EQ(count(text + "-1 1\n"), 3);
  File other = file;
  other.size -= 1;
  EXPECT_EQ(std::count(landed.begin(), landed.end(), true), 3);
  const auto none = parse_piece_journal(text, other);
  EXPECT_EQ(std::count(none.begin(), none.end(), true), 0);
}

// Processes.

class Processes : public HubTest {
 protected:
  pid_t start(const std::string& shell_prefix = "") {
    const std::string command = shell_prefix + "exec '" VITALIS_HUB_DOWNLOAD "' " +
                                hub_.endpoint() + ' ' + hub_.ca_file() + ' ' + cache() + ' ' +
                                kRepo + ' ' + std::to_string(connections_) + ' ' +
                                std::to_string(rate_) + " >'" + folder_.path() + "/output' 2>&1";
    const char* arguments[] = {"sh", "-c", command.c_str(), nullptr};
    pid_t process = -1;
    EXPECT_EQ(::posix_spawn(&process, "/bin/sh", nullptr, nullptr, const_cast<char**>(arguments),
                            environ),
              0);
    return process;
  }
  // The exit status, or -1 if it was killed.
  static int wait_for(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string output() const { return contents_of(folder_.path() + "/output"); }

  int connections_ = 4;
  uint64_t rate_ = 0;
};

TEST_F(Processes, KilledAtRandomMomentsUntilItIsDone) {
  const char* rounds_text = std::getenv("VITALIS_HUB_KILL_ROUNDS");
  const int rounds = rounds_text ? std::atoi(rounds_text) : 1;
  constexpr uint64_t kPromised = 16 << 20;  // of each connection and kill
  std::minstd_rand random(static_cast<unsigned>(rounds_text ? std::time(nullptr) : 1));
  rate_ = 250'000'000;
  for (int round = 0; round < rounds; ++round) {
    fs::remove_all(cache());
    hub_.forget_seen();
    connections_ = 1 + static_cast<int>(random() % 4);
    const MockTree tree = model_tree(random(), rounds_text ? 120'000'000 : 50'000'000);
    const std::string commit = hub_.commit(kRepo, tree);
    uint64_t total = 0;
    for (const auto& [path, file] : tree) {
      if (path.rfind("model-", 0) == 0) total += file.size;
    }
    uint64_t kills = 0;
    int status = -1;
    while (status != 0 && kills < 100) {
      const pid_t process = start();
      // Longer each time: on a busy machine a process may take a while to begin.
      ::usleep(static_cast<useconds_t>(20'000 + random() % (300'000 + kills * 100'000)));
      ::kill(process, SIGKILL);
      status = wait_for(process);
      ASSERT_TRUE(status == 0 || status == -1) << output();
      kills += status == 0 ? 0 : 1;
      EXPECT_FALSE(contains(output(), "expected digest")) << output();
    }
    EXPECT_GT(kills, 0u);
    expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
    EXPECT_LE(hub_.content_bytes(), total + kills * kPromised * connections_ + 1000)
        << kills << " kills, " << connections_ << " connections";
  }
}

TEST_F(Processes, TwoAtOnceFetchOnce) {
  const MockTree tree = model_tree(1, 40'000'000);
  const std::string commit = hub_.commit(kRepo, tree);
  rate_ = 100'000'000;
  const pid_t first = start(), second = start();
  EXPECT_EQ(wait_for(first), 0) << output();
  EXPECT_EQ(wait_for(second), 0) << output();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_LT(hub_.content_bytes(), 61'000'000u);
}

TEST_F(Processes, AFileSizeLimitIsTold) {
  const MockTree tree = model_tree(1, 20'000'000);
  hub_.commit(kRepo, tree);
  // 8 MB, in blocks of 512; the signal that would come is ignored.
  EXPECT_EQ(wait_for(start("trap '' XFSZ; ulimit -f 16000; ")), 1);
  EXPECT_TRUE(contains(output(), "File too large")) << output();
  expect_nothing_published();
  EXPECT_EQ(wait_for(start()), 0) << output();
}

}  // namespace
}  // namespace vitalis::tests
