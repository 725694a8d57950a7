// SPDX-License-Identifier: Apache-2.0
#include "hub/blob.h"

#include <algorithm>
#include <fcntl.h>

#include "base/mapped_file.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLargestJournal = 4 << 20;
constexpr auto kJournalInterval = std::chrono::milliseconds(250);

}  // namespace

Result<std::unique_ptr<Blob>> Blob::open_part(Disk& disk, Meeting& meeting, const Layout& layout,
                                              const File& file) {
  std::unique_ptr<Blob> blob(new Blob(disk, meeting, file));
  blob->is_part_ = true;
  blob->journal_path_ = layout.journal_path(file);
  const std::string path = layout.part_path(file);
  std::vector<bool> landed(piece_count(file.size));
  // Bytes without a journal, or of another size, tell nothing.
  if (const auto info = examine(path); info && info->size == file.size) {
    const auto journal = read_file(blob->journal_path_, kLargestJournal);
    if (journal.ok()) landed = parse_piece_journal(*journal, file);
  }
  VITALIS_ASSIGN(blob->data_, open_to_write(path, false));
  VITALIS_TRY(disk.allocate(blob->data_, file.size));
  blob->pieces_.assign(landed.size(), kAbsent);
  blob->unclaimed_ = landed.size();
  for (size_t i = 0; i < landed.size(); ++i) {
    if (!landed[i]) continue;
    blob->land(i);
    blob->pieces_[i] = kMarked;
  }
  blob->unmarked_ = blob->unmarked_bytes_ = 0;
  VITALIS_TRY(blob->open_journal(landed));
  return blob;
}

Result<std::unique_ptr<Blob>> Blob::open_whole(Disk& disk, Meeting& meeting,
                                               const std::string& path, const File& file) {
  std::unique_ptr<Blob> blob(new Blob(disk, meeting, file));
  VITALIS_ASSIGN(blob->data_, open_to_read(path));
  blob->pieces_.assign(piece_count(file.size), kMarked);
  blob->prefix_ = blob->pieces_.size();
  blob->landed_bytes_ = file.size;
  return blob;
}

// What is known is written anew: the end of the old text may be one that is not believed.
Status Blob::open_journal(const std::vector<bool>& landed) {
  if (pieces_.size() < 2) return {};
  VITALIS_TRY(write_atomically(disk_, journal_path_, piece_journal_text(file_, landed)));
  VITALIS_ASSIGN(journal_, open_to_write(journal_path_, false));
  return {};
}

bool Blob::claim(size_t most, size_t& first, size_t& end) {
  const std::lock_guard lock(meeting_.mutex);
  while (first_unclaimed_ < pieces_.size() && pieces_[first_unclaimed_] != kAbsent) {
    ++first_unclaimed_;
  }
  first = end = first_unclaimed_;
  while (end < pieces_.size() && end - first < most && pieces_[end] == kAbsent) {
    pieces_[end++] = kClaimed;
  }
  unclaimed_ -= end - first;
  first_unclaimed_ = end;
  return end > first;
}

void Blob::give_back(size_t first, size_t end) {
  const std::lock_guard lock(meeting_.mutex);
  for (size_t i = first; i < end; ++i) {
    if (pieces_[i] != kClaimed) continue;
    pieces_[i] = kAbsent;
    ++unclaimed_;
    first_unclaimed_ = std::min(first_unclaimed_, i);
  }
}

size_t Blob::unclaimed() const {
  const std::lock_guard lock(meeting_.mutex);
  return unclaimed_;
}

void Blob::land(size_t piece) {
  if (pieces_[piece] == kAbsent) --unclaimed_;
  pieces_[piece] = kLanded;
  const uint64_t size = piece_size(file_.size, piece);
  landed_bytes_ += size;
  unmarked_bytes_ += size;
  ++unmarked_;
  while (prefix_ < pieces_.size() && pieces_[prefix_] >= kLanded) ++prefix_;
}

Status Blob::write(std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const auto piece = static_cast<size_t>(offset / kPieceBytes);
    const uint64_t end = piece * kPieceBytes + piece_size(file_.size, piece);
    const auto now = bytes.first(std::min<uint64_t>(bytes.size(), end - offset));
    bool is_there = false;
    {
      const std::lock_guard lock(meeting_.mutex);
      is_there = pieces_[piece] >= kLanded;
    }
    if (!is_there) {
      VITALIS_TRY(disk_.write_at(data_, now, offset));
      if (offset + now.size() == end) {
        const std::lock_guard lock(meeting_.mutex);
        land(piece);
        meeting_.changed.notify_all();
      }
    }
    offset += now.size();
    bytes = bytes.subspan(now.size());
  }
  return {};
}

void Blob::land_all() {
  const std::lock_guard lock(meeting_.mutex);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i] < kLanded) land(i);
  }
}

Result<bool> Blob::mark() {
  std::vector<size_t> landed;
  {
    const std::lock_guard lock(meeting_.mutex);
    if (unmarked_ == 0) return false;
    for (size_t i = 0; i < pieces_.size() && landed.size() < unmarked_; ++i) {
      if (pieces_[i] == kLanded) landed.push_back(i);
    }
  }
  VITALIS_TRY(disk_.sync(data_));
  if (journal_) {
    std::string lines;
    for (size_t i = 0; i < landed.size();) {
      size_t end = i + 1;
      while (end < landed.size() && landed[end] == landed[end - 1] + 1) ++end;
      lines += piece_journal_line(landed[i], end - i);
      i = end;
    }
    VITALIS_TRY(disk_.append(journal_, lines));
    const auto now = std::chrono::steady_clock::now();
    if (now - journal_synced_ >
        kJournalInterval) {  // for power cuts; a killed process needs it not
      VITALIS_TRY(disk_.sync(journal_));
      journal_synced_ = now;
    }
  }
  const std::lock_guard lock(meeting_.mutex);
  for (const size_t piece : landed) {
    pieces_[piece] = kMarked;
    unmarked_bytes_ -= piece_size(file_.size, piece);
  }
  unmarked_ -= landed.size();
  return true;
}

uint64_t Blob::prefix_bytes() const {
  return std::min(prefix_ * kPieceBytes, file_.size);
}

Result<bool> Blob::hash_some(std::span<std::byte> buffer) {
  uint64_t from = 0;
  uint64_t size = 0;
  {
    const std::lock_guard lock(meeting_.mutex);
    from = hashed_;
    size = std::min<uint64_t>(buffer.size(), prefix_bytes() - from);
    if (size == 0 && (from < file_.size || !digest_.empty())) return false;
  }
  VITALIS_ASSIGN(const size_t n, read_at(data_, buffer.first(size), from));
  if (n < size) {
    return error(Code::kIo, data_.path(), " became shorter while it was read: expected ",
                 file_.size, " bytes, found ", from + n);
  }
  hasher_.update(buffer.first(n));
  const std::string digest = from + n == file_.size ? hasher_.hex() : "";
  const std::lock_guard lock(meeting_.mutex);
  hashed_ += n;
  if (hashed_ == file_.size) digest_ = digest.empty() ? "none" : digest;
  return true;
}

uint64_t Blob::landed_bytes() const {
  const std::lock_guard lock(meeting_.mutex);
  return landed_bytes_;
}

uint64_t Blob::unmarked_bytes() const {
  const std::lock_guard lock(meeting_.mutex);
  return unmarked_bytes_;
}

uint64_t Blob::hashed_bytes() const {
  const std::lock_guard lock(meeting_.mutex);
  return hashed_;
}

bool Blob::is_hashed() const {
  const std::lock_guard lock(meeting_.mutex);
  return !digest_.empty();
}

bool Blob::is_settled() const {
  const std::lock_guard lock(meeting_.mutex);
  return !digest_.empty() && unmarked_ == 0;
}

bool Blob::is_right() const {
  return digest_ == file_.etag();
}

Status Blob::restart() {
  pieces_.assign(pieces_.size(), kAbsent);
  prefix_ = first_unclaimed_ = unmarked_ = 0;
  unclaimed_ = pieces_.size();
  landed_bytes_ = unmarked_bytes_ = hashed_ = 0;
  hasher_ = Hasher::of(file_);
  digest_.clear();
  return open_journal(std::vector<bool>(pieces_.size()));
}

Status Blob::discard() {
  VITALIS_TRY(remove_journal());
  return remove_file(data_.path());
}

Status Blob::remove_journal() {
  return remove_file(journal_path_);
}

}  // namespace vitalis::hub
