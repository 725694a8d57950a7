// SPDX-License-Identifier: Apache-2.0
#include "quantize/writer.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "formats/safetensors.h"
#include "hub/json_text.h"
#include "model/config_keys.h"
#include "model/name_tables.h"
#include "quantize/q8_0.h"

namespace vitalis::quantize {
namespace {

using hub::FileInfo;
using hub::OpenFile;

constexpr std::string_view kConfigName = "config.json";
constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr std::string_view kTokenizerName = "tokenizer.json";
constexpr std::string_view kStateFolder = ".vitalis-quantize";
constexpr size_t kLargestText = 64 << 20;        // of a config or an index
constexpr uint64_t kLargestCarried = 256 << 20;  // a file that is larger is none of the model's
constexpr uint64_t kRoundPiece = 16 << 20;       // of the source, in one step
constexpr uint64_t kCopyPiece = 64 << 20;

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_weight_file(std::string_view name) {
  for (const std::string_view end : {".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

// The names of the tensors that become Q8_0, fused ones too.
std::set<std::string, std::less<>> rounded_names(const model::Checkpoint& checkpoint) {
  std::set<std::string, std::less<>> out;
  for (const model::NameTable& table : model::safetensors_tables()) {
    if (table.format != checkpoint.format()) continue;
    for (const model::NameRow& row : table.rows) {
      const model::SchemaTensor& tensor = model::schema(row.id);
      if (!tensor.eight_bit) continue;
      const size_t times = tensor.per_layer() ? checkpoint.config().layers : 1;
      for (size_t layer = 0; layer < times; ++layer) {
        out.insert(model::expand_name(row.name, layer));
      }
    }
  }
  return out;
}

// The config's text with one key more, the first. The text is that of an object with keys.
std::string marked_config(std::string_view config) {
  const size_t begin = config.find('{') + 1;
  return text(config.substr(0, begin), "\n  \"", model::kDenseQuantizationKey,
              "\": {\n    \"quant_method\": \"", model::kQ8_0Method, "\"\n  },",
              config.substr(begin));
}

std::string index_text(const formats::SafetensorsIndex& index, uint64_t total) {
  std::string out =
      text("{\n  \"metadata\": {\n    \"total_size\": ", total, "\n  },\n  \"weight_map\": {");
  for (const auto& [tensor, shard] : index) {
    out += text(out.back() == '{' ? "\n    " : ",\n    ", hub::json_string(tensor), ": ",
                hub::json_string(shard));
  }
  return out + "\n  }\n}\n";
}

// Bytes of the shard from `begin` on that take room, where others are shared with the source.
uint64_t own_bytes(const Shard& shard, uint64_t begin, bool share) {
  uint64_t bytes = shard.header.size() - std::min<uint64_t>(begin, shard.header.size());
  for (const Segment& segment : shard.segments) {
    const uint64_t done = begin - std::min(begin, segment.target);
    if (done >= segment.target_bytes) continue;
    const uint64_t size = segment.target_bytes - done;
    bytes += size;
    if (share && !segment.rounds()) {
      bytes -= hub::shareable_bytes(segment.source + done, segment.target + done, size);
    }
  }
  return bytes;
}

void describe(std::string_view path, std::string& out) {
  const auto info = hub::examine(std::string(path));
  out += text(path, ' ', info ? info->size : 0, ' ', info ? info->modified_ns : 0, ' ',
              info ? info->inode : 0, ' ', info ? info->device : 0, '\n');
}

}  // namespace

Writer::Writer(std::string model, std::string out, hub::Disk& disk, uint64_t save_every)
    : model_(std::move(model)),
      out_(std::move(out)),
      partial_(out_ + ".partial"),
      state_folder_(text(partial_, '/', kStateFolder)),
      disk_(disk),
      save_every_(save_every) {}

Result<std::unique_ptr<Writer>> Writer::create(const std::string& model, const std::string& out,
                                               hub::Disk& disk, uint64_t save_every) {
  const auto bare = [](std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  };
  if (out.empty()) return error(Code::kInvalidArgument, "the folder to write to has no name");
  std::unique_ptr<Writer> writer(new Writer(bare(model), bare(out), disk, save_every));
  VITALIS_TRY(writer->plan());
  VITALIS_TRY(writer->check_target());
  VITALIS_TRY(writer->resume());
  return writer;
}

// ---- before anything is written ----

Status Writer::plan() {
  VITALIS_ASSIGN(const auto checkpoint, model::Checkpoint::open(model_));
  if (checkpoint.config().dense_q8_0) {
    return error(Code::kUnsupported, model_, ": the dense part is in eight bits already");
  }
  if (!checkpoint.format().starts_with("safetensors")) {
    return error(Code::kUnsupported, model_, " is ", checkpoint.format(),
                 "; supported: a folder of safetensors, as models are published");
  }
  const auto names = rounded_names(checkpoint);
  std::vector<std::string> files;
  for (const model::Checkpoint::Tensor& tensor : checkpoint.tensors()) {
    if (std::find(files.begin(), files.end(), tensor.file) == files.end()) {
      files.push_back(tensor.file);
    }
  }
  uint64_t total = 0;
  for (const std::string& name : files) {
    VITALIS_ASSIGN(Shard shard,
                   lay_out(text(model_, '/', name), name,
                           [&](std::string_view tensor) { return names.contains(tensor); }));
    totals_.source_bytes += shard.source_bytes;
    totals_.target_bytes += shard.target_bytes;
    total += shard.tensor_bytes;
    shards_.push_back(std::move(shard));
  }
  VITALIS_ASSIGN(const std::string config, read_file(text(model_, '/', kConfigName), kLargestText));
  config_ = marked_config(config);
  const std::string index_path = text(model_, '/', kIndexName);
  if (hub::examine(index_path)) {
    VITALIS_ASSIGN(const std::string json, read_file(index_path, kLargestText));
    VITALIS_ASSIGN(const auto index, formats::parse_safetensors_index(json, index_path));
    index_ = index_text(index, total);
  }
  VITALIS_ASSIGN(const auto all, hub::list_folder(model_));
  for (const std::string& name : all) {
    const std::string path = text(model_, '/', name);
    const auto info = hub::examine(path);
    if (name.starts_with('.') || is_weight_file(name) || name == kConfigName ||
        name == kIndexName || !info || !info->is_regular || info->size > kLargestCarried) {
      continue;
    }
    small_files_.push_back(path);
  }
  // original/ has its tokenizer above it.
  const std::string above = text(model_, "/../", kTokenizerName);
  if (!hub::examine(text(model_, '/', kTokenizerName)) && hub::examine(above)) {
    small_files_.push_back(above);
  }
  identity_ = identity();
  return {};
}

// What tells one source from another, and from itself once it is written to.
std::string Writer::identity() const {
  std::string out = "vitalis quantize, q8_0, 1\n";
  for (const Shard& shard : shards_) describe(shard.source, out);
  for (const std::string& path : small_files_) describe(path, out);
  describe(text(model_, '/', kConfigName), out);
  describe(text(model_, '/', kIndexName), out);
  return out;
}

Status Writer::check_target() const {
  const std::string above = hub::folder_of(out_);
  const auto folder = hub::examine(above);
  if (!folder || !folder->is_folder) return error(Code::kNotFound, "there is no folder ", above);
  const auto there = hub::examine(out_);
  if (!there && !hub::link_target(out_)) return {};
  if (there && there->is_folder) {
    VITALIS_ASSIGN(const auto names, hub::list_folder(out_));
    if (names.empty()) return {};
    // A run that was killed between its last two steps.
    if (std::find(names.begin(), names.end(), kStateFolder) != names.end()) {
      VITALIS_TRY(hub::remove_folder(text(out_, '/', kStateFolder)));
    }
  }
  return error(Code::kInvalidArgument, out_,
               " is there already; expected a new folder, or an empty one");
}

Status Writer::resume() {
  VITALIS_ASSIGN(const auto names, hub::list_folder(partial_));
  if (!names.empty() && std::find(names.begin(), names.end(), kStateFolder) == names.end()) {
    return error(Code::kInvalidArgument, partial_,
                 " is in the way: it is no unfinished model of this command's; remove it");
  }
  VITALIS_TRY(hub::make_folders(state_folder_));
  VITALIS_ASSIGN(lock_, hub::FileLock::try_take(state_folder_ + "/lock"));
  if (!lock_) {
    return error(Code::kBusy, partial_, " is being written by ",
                 hub::FileLock::holder(state_folder_ + "/lock"));
  }
  if (!read_state()) VITALIS_TRY(remove_old());
  for (size_t i = 0; i < shard_; ++i) totals_.resumed_bytes += shards_[i].target_bytes;
  totals_.resumed_bytes += done_;
  if (Status room = check_room(); !room.ok()) {
    if (totals_.resumed_bytes == 0) (void)hub::remove_folder(partial_);
    return room;
  }
  return save_state();
}

// ---- room on the disk ----

Status Writer::check_room() {
  VITALIS_ASSIGN(const hub::Space space, disk_.space_at(partial_));
  for (const Shard& shard : shards_) {
    VITALIS_TRY(hub::check_file_size(space, out_, shard.name, shard.target_bytes));
  }
  return hub::check_room(space, out_, room_needed());
}

// What the rest of the run takes. Of the file under way, bytes that are there and not known to be
// on the disk are written again in their place.
uint64_t Writer::room_needed() {
  const bool share = shard_ < shards_.size() && shares(shards_[shard_].source);
  uint64_t bytes = 0;
  for (size_t i = shard_; i < shards_.size(); ++i) {
    uint64_t begin = i == shard_ ? done_ : 0;
    const auto there = hub::examine(at(shards_[i].name));
    if (there && there->links == 1) {
      begin = std::max(begin, std::min(there->allocated, there->size));
    }
    if (begin == 0 && shards_[i].header.empty() && (share || links(shards_[i].source))) continue;
    bytes += own_bytes(shards_[i], begin, share);
  }
  const auto add = [&](std::string_view name, uint64_t size, uint64_t shared) {
    const auto there = hub::examine(at(name));
    bytes += size - std::min(size, there ? there->size : shared);
  };
  add(kConfigName, config_.size(), 0);
  add(kIndexName, index_.size(), 0);
  for (const std::string& path : small_files_) {
    const auto info = hub::examine(path);
    const uint64_t size = info ? info->size : 0;
    add(file_name(path), size, share ? hub::shareable_bytes(0, 0, size) : 0);
  }
  return bytes;
}

// Whether the file system lets another file share bytes with this one, and whether it gives it a
// second name: both are tried. What is left of a trial may be the source itself: it is not opened.
bool Writer::shares(const std::string& source) {
  const std::string trial = state_folder_ + "/copy";
  if (!hub::remove_file(trial).ok()) return false;
  const auto from = hub::open_to_read(source);
  const auto to = hub::open_to_write(trial, false);
  if (!from.ok() || !to.ok()) return false;
  const auto shared = disk_.copy_at(*from, 0, *to, 0, hub::kShareUnit);
  return hub::remove_file(trial).ok() && shared.ok() && *shared > 0;
}

bool Writer::links(const std::string& source) const {
  const std::string trial = state_folder_ + "/link";
  return hub::remove_file(trial).ok() && hub::link_file(source, trial) &&
         hub::remove_file(trial).ok();
}

// ---- what is known to be on the disk ----

// False, and all begins anew, unless an earlier run of this source says where it was, and the
// files are as it says.
bool Writer::read_state() {
  const auto state = read_file(state_folder_ + "/state", kLargestText);
  if (!state.ok() || !state->starts_with(identity_)) return false;
  uint64_t numbers[3] = {};
  const char* place = state->data() + identity_.size();
  const char* end = state->data() + state->size();
  for (uint64_t& number : numbers) {
    const auto [stop, failure] = std::from_chars(place, end, number);
    if (failure != std::errc() || stop == end) return false;
    place = stop + 1;
  }
  if (numbers[0] > shards_.size()) return false;
  for (size_t i = 0; i < numbers[0]; ++i) {
    const auto info = hub::examine(at(shards_[i].name));
    if (!info || info->size != shards_[i].target_bytes) return false;
  }
  if (numbers[1] > 0) {
    if (numbers[0] == shards_.size() || numbers[1] > shards_[numbers[0]].target_bytes) return false;
    const auto info = hub::examine(at(shards_[numbers[0]].name));
    // Two names: it is a file of the source, which no one may write to.
    if (!info || info->size < numbers[1] || info->links != 1) return false;
  }
  shard_ = numbers[0];
  done_ = saved_ = numbers[1];
  totals_.shared_bytes = numbers[2];
  return true;
}

Status Writer::save_state() {
  VITALIS_TRY(
      hub::write_atomically(disk_, state_folder_ + "/state",
                            text(identity_, shard_, ' ', done_, ' ', totals_.shared_bytes, '\n')));
  saved_ = done_;
  return {};
}

// All but the lock.
Status Writer::remove_old() {
  VITALIS_TRY(hub::remove_file(state_folder_ + "/state"));
  VITALIS_ASSIGN(const auto names, hub::list_folder(partial_));
  for (const std::string& name : names) {
    if (name != kStateFolder) VITALIS_TRY(hub::remove_file(at(name)));
  }
  return {};
}

// ---- writing ----

WriteProgress Writer::progress(bool done) const {
  WriteProgress out{.done = done, .bytes_done = done_, .bytes_total = totals_.target_bytes};
  for (size_t i = 0; i < shard_; ++i) out.bytes_done += shards_[i].target_bytes;
  if (shard_ < shards_.size()) out.file = shards_[shard_].name;
  return out;
}

Result<WriteProgress> Writer::next() {
  if (shard_ == shards_.size()) {
    VITALIS_TRY(write_small_files());
    if (identity() != identity_) {
      return error(Code::kIntegrity, model_, " was changed while it was read; begin again");
    }
    VITALIS_TRY(disk_.sync_folder(partial_));
    // What is published opens.
    VITALIS_ASSIGN(const auto whole, model::Checkpoint::open(partial_));
    return progress(true);
  }
  if (!to_) VITALIS_TRY(open_shard());
  if (done_ < shards_[shard_].target_bytes) VITALIS_TRY(write_piece());
  if (done_ == shards_[shard_].target_bytes) {
    VITALIS_TRY(finish_shard());
  } else if (done_ - saved_ >= save_every_) {
    VITALIS_TRY(disk_.sync(to_));
    VITALIS_TRY(save_state());
  }
  return progress(false);
}

Status Writer::open_shard() {
  const Shard& shard = shards_[shard_];
  const std::string path = at(shard.name);
  VITALIS_ASSIGN(from_, hub::open_to_read(shard.source));
  // A file that is there may be one of the source's under a second name: it is not written to.
  if (done_ == 0) VITALIS_TRY(hub::remove_file(path));
  VITALIS_ASSIGN(to_, hub::open_to_write(path, false));
  if (!shard.header.empty() || done_ > 0) return {};
  // Nothing is rounded: the whole file is shared, or has a second name, or is copied.
  if (!hub::share_range(from_, 0, to_, 0, 0)) {
    to_ = OpenFile();
    VITALIS_TRY(hub::remove_file(path));
    if (!hub::link_file(shard.source, path)) {
      VITALIS_ASSIGN(to_, hub::open_to_write(path, false));
      return {};
    }
  }
  done_ = shard.target_bytes;
  totals_.shared_bytes += done_;
  return {};
}

Status Writer::write_piece() {
  const Shard& shard = shards_[shard_];
  if (done_ < shard.header.size()) {
    VITALIS_TRY(disk_.write_at(to_, std::as_bytes(std::span(shard.header)), 0));
    done_ = shard.header.size();
    return {};
  }
  const auto after = std::upper_bound(
      shard.segments.begin(), shard.segments.end(), done_,
      [](uint64_t place, const Segment& segment) { return place < segment.target; });
  const Segment& segment = *(after - 1);
  return segment.rounds() ? round_piece(segment) : copy_piece(segment);
}

Status Writer::copy_piece(const Segment& segment) {
  const uint64_t within = done_ - segment.target;
  const uint64_t source = segment.source + within;
  const uint64_t size =
      std::min(segment.source_bytes - within, kCopyPiece - source % hub::kShareUnit);
  VITALIS_ASSIGN(const uint64_t shared, disk_.copy_at(from_, source, to_, done_, size));
  totals_.shared_bytes += shared;
  done_ += size;
  return {};
}

Status Writer::round_piece(const Segment& segment) {
  done_ -= (done_ - segment.target) % kQ8BlockBytes;
  const uint64_t first = (done_ - segment.target) / kQ8BlockBytes;  // block
  const uint64_t blocks =
      std::min(segment.target_bytes / kQ8BlockBytes - first, kRoundPiece / kBf16BlockBytes);
  numbers_.resize(blocks * kBf16BlockBytes);
  blocks_.resize(blocks * kQ8BlockBytes);
  VITALIS_ASSIGN(const size_t read,
                 hub::read_at(from_, numbers_, segment.source + first * kBf16BlockBytes));
  if (read != numbers_.size()) {
    return error(Code::kIntegrity, from_.path(), " became shorter while it was read");
  }
  const size_t rounded = bf16_to_q8_0(numbers_.data(), blocks, blocks_.data());
  if (rounded != blocks) {
    return error(
        Code::kMalformed, from_.path(), ": tensor ", in_quotes(segment.tensor),
        " holds a number that is not finite, or too great for eight bits, among the 32 from ",
        (first + rounded) * kBlockNumbers, " on");
  }
  VITALIS_TRY(disk_.write_at(to_, blocks_, done_));
  done_ += blocks_.size();
  return {};
}

Status Writer::finish_shard() {
  if (to_) VITALIS_TRY(disk_.sync(to_));
  from_ = OpenFile();
  to_ = OpenFile();
  ++shard_;
  done_ = 0;
  return save_state();
}

Status Writer::write_small_files() {
  VITALIS_TRY(write_file(kConfigName, config_));
  if (!index_.empty()) VITALIS_TRY(write_file(kIndexName, index_));
  for (const std::string& path : small_files_) {
    VITALIS_ASSIGN(const OpenFile from, hub::open_to_read(path));
    const std::string name = at(file_name(path));
    VITALIS_TRY(hub::remove_file(name));
    VITALIS_ASSIGN(const OpenFile to, hub::open_to_write(name, false));
    const auto info = hub::examine(path);
    VITALIS_ASSIGN(const uint64_t shared, disk_.copy_at(from, 0, to, 0, info ? info->size : 0));
    (void)shared;
    VITALIS_TRY(disk_.sync(to));
  }
  return {};
}

Status Writer::write_file(std::string_view name, std::string_view content) {
  VITALIS_TRY(hub::remove_file(at(name)));
  VITALIS_ASSIGN(const OpenFile file, hub::open_to_write(at(name), false));
  VITALIS_TRY(disk_.write_at(file, std::as_bytes(std::span(content)), 0));
  return disk_.sync(file);
}

Status Writer::publish() {
  VITALIS_TRY(disk_.rename(partial_, out_));
  VITALIS_TRY(hub::remove_folder(text(out_, '/', kStateFolder)));
  lock_.reset();
  return disk_.sync_folder(hub::folder_of(out_));
}

}  // namespace vitalis::quantize
