// SPDX-License-Identifier: Apache-2.0
// Writes a folder of safetensors again with its dense matrices in Q8_0, and all else byte for byte:
// shared with the source where the file system can, else copied. It grows in a folder beside the
// one that is asked for, which publish() gives its name: there is never half a model under it. What
// is on the disk is written down as it grows, so that the same call goes on after a kill or a power
// cut. One thread; another process that wants the same folder is told that it is busy.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/disk.h"
#include "hub/file_lock.h"
#include "model/checkpoint.h"
#include "quantize/layout.h"

namespace vitalis::quantize {

struct WriteProgress {
  bool done = false;
  std::string_view file;    // under way; valid as long as the writer
  uint64_t bytes_done = 0;  // of weight files as they will be
  uint64_t bytes_total = 0;
};

// Of weight files.
struct WriteTotals {
  uint64_t source_bytes = 0;
  uint64_t target_bytes = 0;
  uint64_t shared_bytes = 0;   // of the target, that take no room of their own
  uint64_t resumed_bytes = 0;  // of the target, that an earlier run had written
};

class Writer {
 public:
  // `model`: a folder for Checkpoint::open whose dense part is bf16. `out`: a folder that is not
  // there, or empty; the one above it must be there. Errors are those of Checkpoint::open;
  // kUnsupported for another kind of file, or if the dense part is in eight bits already;
  // kInvalidArgument if `out` is taken; kBusy; kIo if the disk has no room for all that is still to
  // be written, of which then nothing is. A power cut costs `save_every` bytes, at most.
  static Result<std::unique_ptr<Writer>> create(const std::string& model, const std::string& out,
                                                hub::Disk& disk = hub::Disk::real(),
                                                uint64_t save_every = 256 << 20);

  // Works for some hundredths of a second. After a failure no more calls; what is written stays for
  // another run. kMalformed for numbers that Q8_0 cannot hold, kIntegrity if the source changed.
  Result<WriteProgress> next();
  // When done: the folder with the whole model, until it is published.
  const std::string& folder() const { return partial_; }
  // When done, at most once.
  Status publish();

  const WriteTotals& totals() const { return totals_; }

 private:
  Writer(std::string model, std::string out, hub::Disk& disk, uint64_t save_every);

  Status plan();
  Status check_target() const;
  Status resume();
  Status check_room();
  uint64_t room_needed();
  bool shares(const std::string& source);
  bool links(const std::string& source) const;
  bool read_state();
  Status save_state();
  Status remove_old();

  Status open_shard();
  Status finish_shard();
  Status write_piece();
  Status round_piece(const Segment& segment);
  Status copy_piece(const Segment& segment);
  Status write_small_files();
  Status write_file(std::string_view name, std::string_view content);
  std::string identity() const;
  WriteProgress progress(bool done) const;
  std::string at(std::string_view name) const { return text(partial_, '/', name); }

  std::string model_, out_, partial_, state_folder_;
  hub::Disk& disk_;
  uint64_t save_every_;
  std::vector<Shard> shards_;
  std::vector<std::string> small_files_;  // paths of what is carried over
  std::string config_, index_;            // as they will be; no index: empty
  std::string identity_;                  // of the source, and of this program's ways
  std::optional<hub::FileLock> lock_;

  size_t shard_ = 0;    // under way
  uint64_t done_ = 0;   // bytes of it
  uint64_t saved_ = 0;  // bytes of it that are known to be on the disk
  hub::OpenFile from_, to_;
  std::vector<std::byte> numbers_, blocks_;
  WriteTotals totals_;
};

}  // namespace vitalis::quantize
