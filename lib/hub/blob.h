// SPDX-License-Identifier: Apache-2.0
// One content on its way: the file it is written to, which of its pieces are where, and its digest
// as far as it goes. Three threads meet here: one writes what the network brings, one syncs and
// then marks, one hashes the prefix that has landed by reading it back (from memory, mostly: and so
// what is verified is what was written, not what was received).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/disk.h"
#include "hub/hash.h"
#include "hub/layout.h"
#include "hub/piece_journal.h"

namespace vitalis::hub {

// What the threads of one transfer share. `mutex` guards the piece states and counters of all
// blobs.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_ending = false;
};

class Blob {
 public:
  // A part: empty, or with what an earlier run marked in it.
  static Result<std::unique_ptr<Blob>> open_part(Disk& disk, Meeting& meeting, const Layout& layout,
                                                 const File& file);
  // A whole file that is only to be hashed.
  static Result<std::unique_ptr<Blob>> open_whole(Disk& disk, Meeting& meeting,
                                                  const std::string& path, const File& file);

  const File& file() const { return file_; }
  const OpenFile& open_file() const { return data_; }
  bool is_part() const { return is_part_; }

  // The writer.
  // Takes up to `most` adjacent pieces that nobody has; false if there are none.
  bool claim(size_t most, size_t& first, size_t& end);
  void give_back(size_t first, size_t end);
  size_t unclaimed() const;
  // Pieces that have landed already are passed over. A piece lands when its last byte is written,
  // so a writer begins at a piece's begin and goes on where it left off.
  Status write(std::span<const std::byte> bytes, uint64_t offset);
  // All of it is there by other means (a copy).
  void land_all();

  // The syncer: marks what landed before the call. False if there was nothing to mark.
  Result<bool> mark();
  // The hasher: up to a mebibyte. False if nothing that has landed is left to hash.
  Result<bool> hash_some(std::span<std::byte> buffer);

  // Any.
  uint64_t landed_bytes() const;
  uint64_t unmarked_bytes() const;
  uint64_t hashed_bytes() const;
  bool is_hashed() const;   // to the end
  bool is_settled() const;  // hashed to the end and marked, so synced, in whole
  bool is_right() const;    // when hashed: whether the digest is the listed one
  std::string digest() const { return digest_; }

  // When no other thread is at it: forgets all pieces, on disk too, to begin anew.
  Status restart();
  // The part and its journal go.
  Status discard();
  Status remove_journal();

 private:
  enum Piece : uint8_t { kAbsent, kClaimed, kLanded, kMarked };

  Blob(Disk& disk, Meeting& meeting, const File& file)
      : disk_(disk), meeting_(meeting), file_(file), hasher_(Hasher::of(file)) {}
  Status open_journal(const std::vector<bool>& landed);
  void land(size_t piece);  // the mutex is held
  uint64_t prefix_bytes() const;

  Disk& disk_;
  Meeting& meeting_;
  File file_;
  bool is_part_ = false;
  std::string journal_path_;
  OpenFile data_;
  std::chrono::steady_clock::time_point journal_synced_;
  OpenFile journal_;  // none for a file of one piece: there would be nothing to resume

  std::vector<Piece> pieces_;
  size_t prefix_ = 0;  // pieces from the begin that have landed
  size_t unclaimed_ = 0;
  size_t first_unclaimed_ = 0;  // none before it
  size_t unmarked_ = 0;
  uint64_t landed_bytes_ = 0;
  uint64_t unmarked_bytes_ = 0;

  Hasher hasher_;
  uint64_t hashed_ = 0;
  std::string digest_;
};

}  // namespace vitalis::hub
