// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind, whatever ends it: a kill or a power cut at any step, a full disk, a
// source that changes. Going on gives the bytes of a run that nothing disturbed.
#include "quantize/writer.h"

#include <fstream>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "hub/json_text.h"
#include "model/gguf_checkpoint.h"
#include "quantize/quantized.h"
#include "synthetic/checkpoint_writer.h"

namespace vitalis::quantize {
namespace {

namespace fs = std::filesystem;
const std::string kBase = VITALIS_SOURCE_DIR "/tests/goldens/numerics/base";
const std::string kTiny = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

// A disk on which something happens at the n-th step that changes it.
class FaultyDisk : public hub::Disk {
 public:
  explicit FaultyDisk(size_t steps) : left_(steps) {}
  size_t left() const { return left_; }

  Status write_at(const hub::OpenFile& file, std::span<const std::byte> bytes,
                  uint64_t offset) override {
    VITALIS_TRY(step(file.path()));
    unsynced_[file.path()].emplace_back(offset, bytes.size());
    return Disk::write_at(file, bytes, offset);
  }
  Result<uint64_t> copy_at(const hub::OpenFile& from, uint64_t from_offset, const hub::OpenFile& to,
                           uint64_t to_offset, uint64_t size) override {
    VITALIS_TRY(step(to.path()));
    unsynced_[to.path()].emplace_back(to_offset, size);
    return Disk::copy_at(from, from_offset, to, to_offset, size);
  }
  Status sync(const hub::OpenFile& file) override {
    VITALIS_TRY(step(file.path()));
    unsynced_.erase(file.path());
    return Disk::sync(file);
  }
  Status rename(const std::string& from, const std::string& to) override {
    VITALIS_TRY(step(to));
    return Disk::rename(from, to);
  }
  Status sync_folder(const std::string& folder) override {
    VITALIS_TRY(step(folder));
    return Disk::sync_folder(folder);
  }

  // What was written and not synced is something else now.
  void cut_power() {
    for (const auto& [path, ranges] : unsynced_) {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (const auto& [offset, size] : ranges) {
        file.seekp(static_cast<std::streamoff>(offset));
        file << std::string(size, '\xA5');
      }
    }
  }

 protected:
  virtual Status fault(const std::string& path) = 0;

 private:
  Status step(const std::string& path) {
    if (left_ == 0) return fault(path);
    --left_;
    return {};
  }
  size_t left_;
  std::map<std::string, std::vector<std::pair<uint64_t, uint64_t>>> unsynced_;
};

class KillingDisk : public FaultyDisk {
 public:
  using FaultyDisk::FaultyDisk;
  Status fault(const std::string&) override {
    ::kill(::getpid(), SIGKILL);
    return {};
  }
};

class FullDisk : public FaultyDisk {
 public:
  using FaultyDisk::FaultyDisk;
  Status fault(const std::string& path) override { return hub::io_error("write to", path, ENOSPC); }
};

class Write : public QuantizedFolder {
 protected:
  std::map<std::string, std::string> expected(const std::string& model) const {
    const Status status = quantize(model, path("expected"));
    EXPECT_TRUE(status.ok()) << status.message();
    return contents(path("expected"));
  }
  // A copy of the model whose files may be changed.
  std::string copy_of(const std::string& model) const {
    fs::copy(model, root / "model");
    return path("model");
  }
  void expect_error(const Status& status, Code code, std::string_view part) const {
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
};

TEST_F(Write, AKillAtAnyStepCostsNothingButTime) {
  const auto whole = expected(kBase);
  const std::string out = path("out");
  size_t kills = 0;
  for (size_t steps = 0;; ++steps) {
    const pid_t child = ::fork();
    if (child == 0) {
      KillingDisk disk(steps);
      ::_exit(quantize(kBase, out, disk).ok() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++kills;
    if (fs::exists(out)) {  // killed after it appeared: it was whole
      fs::remove_all(fs::path(out) / ".vitalis-quantize");
    } else {
      const Status resumed = quantize(kBase, out);
      ASSERT_TRUE(resumed.ok()) << steps << ": " << resumed.message();
    }
    ASSERT_TRUE(contents(out) == whole) << steps;
    EXPECT_FALSE(fs::exists(out + ".partial"));
    fs::remove_all(out);
  }
  EXPECT_GT(kills, 30U);
}

TEST_F(Write, KillsOneAfterAnotherEachGetFurther) {
  const auto whole = expected(kBase);
  const std::string out = path("out");
  size_t kills = 0;
  for (; !fs::exists(out); ++kills) {
    ASSERT_LT(kills, 200U);
    const pid_t child = ::fork();
    if (child == 0) {
      KillingDisk disk(10);  // a trial and a state of three steps come first
      ::_exit(quantize(kBase, out, disk).ok() ? 0 : 1);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    if (kills > 20 && !fs::exists(out)) break;  // what comes last is done in one run
  }
  EXPECT_GT(kills, 5U);
  if (!fs::exists(out)) {
    auto writer = Writer::create(kBase, out);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    EXPECT_GT((*writer)->totals().resumed_bytes, (*writer)->totals().target_bytes / 2);
    ASSERT_TRUE(run(**writer).ok());
  }
  fs::remove_all(fs::path(out) / ".vitalis-quantize");
  EXPECT_TRUE(contents(out) == whole);
}

TEST_F(Write, APowerCutAtAnyStepCostsNothingButTime) {
  const auto whole = expected(kBase);
  const std::string out = path("out");
  for (size_t steps = 0;; ++steps) {
    FullDisk disk(steps);  // the step fails, and what was not synced is lost
    if (quantize(kBase, out, disk).ok()) break;
    disk.cut_power();
    if (!fs::exists(out)) {
      const Status resumed = quantize(kBase, out);
      ASSERT_TRUE(resumed.ok()) << steps << ": " << resumed.message();
    }
    fs::remove_all(fs::path(out) / ".vitalis-quantize");
    ASSERT_TRUE(contents(out) == whole) << steps;
    fs::remove_all(out);
  }
}

TEST_F(Write, AFullDiskIsToldAndLeavesNothingAsIfWhole) {
  FullDisk disk(12);
  const Status full = quantize(kTiny, path("out"), disk);
  expect_error(full, Code::kIo, "No space left on device (");
  expect_error(full, Code::kIo, path("out.partial"));
  EXPECT_FALSE(fs::exists(path("out")));
  ASSERT_TRUE(quantize(kTiny, path("out")).ok());
  EXPECT_TRUE(contents(path("out")) == expected(kTiny));
}

// A disk with so many bytes free, which shares what can be shared, or nothing.
class SmallDisk : public hub::Disk {
 public:
  SmallDisk(uint64_t free, bool shares, uint64_t largest_file = 0)
      : space_{.free = free, .largest_file = largest_file}, shares_(shares) {}
  Result<hub::Space> space_at(const std::string&) override { return space_; }
  Result<uint64_t> copy_at(const hub::OpenFile& from, uint64_t from_offset, const hub::OpenFile& to,
                           uint64_t to_offset, uint64_t size) override {
    VITALIS_TRY(Disk::copy_at(from, from_offset, to, to_offset, size).status());
    const uint64_t shared = shares_ ? hub::shareable_bytes(from_offset, to_offset, size) : 0;
    if (to.path().find("/.vitalis-quantize/") == std::string::npos) shared_ += shared;
    return shared;
  }
  uint64_t shared() const { return shared_; }

 private:
  hub::Space space_;
  bool shares_;
  uint64_t shared_ = 0;
};

// The bytes that a run says it needs of a disk without any.
uint64_t needed(const std::string& model, const std::string& out, bool shares = false) {
  SmallDisk disk(0, shares);
  const Status refused = quantize(model, out, disk);
  EXPECT_EQ(refused.code(), Code::kIo);
  const std::string& message = refused.message();
  const std::string before = out + ": the disk has 0 bytes free; ";
  EXPECT_TRUE(message.starts_with(before)) << message;
  EXPECT_TRUE(message.ends_with(" are needed, and 67108864 to spare")) << message;
  return std::strtoull(message.c_str() + before.size(), nullptr, 10);
}

uint64_t size_of(const std::map<std::string, std::string>& files) {
  uint64_t total = 0;
  for (const auto& [name, content] : files) {
    if (!name.starts_with(".vitalis-quantize/")) total += content.size();
  }
  return total;
}

TEST_F(Write, ADiskWithoutRoomIsRefusedAtOnce) {
  for (const std::string& model : {kBase, kTiny}) {
    const uint64_t total = size_of(expected(model));
    EXPECT_EQ(needed(model, path("out")), total);
    SmallDisk lacking(total + (64 << 20) - 1, false), sufficient(total + (64 << 20), false);
    expect_error(quantize(model, path("out"), lacking), Code::kIo, text(total, " are needed"));
    EXPECT_FALSE(fs::exists(path("out")) || fs::exists(path("out.partial")));
    EXPECT_TRUE(quantize(model, path("out"), sufficient).ok());
    fs::remove_all(root / "out");
    fs::remove_all(root / "expected");
  }
  SmallDisk fat(uint64_t{1} << 40, false, 1 << 20);
  expect_error(quantize(kTiny, path("out"), fat), Code::kIo,
               "holds no file of more than 1048576 bytes (FAT32?), and model.safetensors has 87");
}

TEST_F(Write, WhatAnEarlierRunWroteNeedsNoRoom) {
  const uint64_t total = size_of(expected(kBase));
  size_t resumed = 0;
  for (size_t steps = 0;; ++steps) {
    FullDisk disk(steps);
    if (quantize(kBase, path("out"), disk).ok()) break;
    if (fs::exists(path("out"))) break;  // there is no step after that one
    const uint64_t there = size_of(contents(path("out.partial")));
    if (there == total) {
      SmallDisk full(0, false);
      ASSERT_TRUE(quantize(kBase, path("out"), full).ok()) << steps;
      fs::remove_all(root / "out");
      continue;
    }
    ASSERT_EQ(needed(kBase, path("out")), total - there) << steps;
    resumed += fs::exists(path("out.partial")) ? 1 : 0;
    fs::remove_all(root / "out.partial");
  }
  EXPECT_GT(resumed, 20U);
}

TEST_F(Write, WhatIsSharedNeedsNoRoom) {
  uint64_t shared = 0;
  for (const std::string& model : {kBase, kTiny}) {
    SmallDisk disk(uint64_t{1} << 40, true);
    ASSERT_TRUE(quantize(model, path("out"), disk).ok());
    const uint64_t total = size_of(contents(path("out")));
    fs::remove_all(root / "out");
    EXPECT_EQ(needed(model, path("out"), true), total - disk.shared());
    shared += disk.shared();
  }
  EXPECT_GT(shared, 1'000'000U);
}

TEST_F(Write, AllThatMakesAModelIsCarriedOver) {
  const std::string model = copy_of(kTiny);
  std::ofstream(model + "/chat_template.jinja") << "{{ messages }}";
  std::ofstream(model + "/other.gguf") << "weights of another form";
  std::ofstream(model + "/.hidden") << "a tool's";
  fs::create_directories(model + "/original");
  ASSERT_TRUE(quantize(model, path("out")).ok());
  const auto out = contents(path("out"));
  for (const char* name : {"chat_template.jinja", "tokenizer.json", "generation_config.json"}) {
    EXPECT_EQ(out.at(name), contents(model).at(name));
  }
  EXPECT_EQ(out.size(), 6U);  // these, the README, the config and the weights
}

TEST_F(Write, TheTokenizerAboveAnOriginalComesAlong) {
  fs::create_directories(root / "release");
  fs::copy(kBase + "/original", root / "release" / "original");
  std::ofstream(root / "release" / "tokenizer.json") << "{}";
  ASSERT_TRUE(quantize(path("release/original"), path("out")).ok());
  EXPECT_EQ(contents(path("out")).at("tokenizer.json"), "{}");
}

// The model's tensors over two files: what is rounded, and what is not.
std::string split_model(const fs::path& folder) {
  const std::string source = read_file(kTiny + "/model.safetensors", 1 << 30).take();
  const auto parsed = formats::parse_safetensors(std::as_bytes(std::span(source)), "m");
  std::vector<formats::TensorRange> ranges[2];
  std::string data[2], index;
  const std::string names[] = {"a.safetensors", "b.safetensors"};
  for (const formats::TensorRange& tensor : parsed->tensors) {
    const bool expert = tensor.name.find(".experts.") != std::string::npos;
    ranges[expert].push_back(tensor);
    data[expert].append(source, tensor.offset, tensor.bytes);
    index +=
        text(index.empty() ? "" : ",", hub::json_string(tensor.name), ":\"", names[expert], '"');
  }
  fs::create_directories(folder);
  for (size_t i = 0; i < 2; ++i) {
    std::ofstream(folder / names[i], std::ios::binary)
        << synthetic::safetensors_header(ranges[i]) << data[i];
  }
  std::ofstream(folder / "model.safetensors.index.json") << "{\"weight_map\":{" << index << "}}";
  fs::copy(kTiny + "/config.json", folder);
  return folder.string();
}

// One file, under two names: no room is taken, and the source is never written to.
TEST_F(Write, FilesWithNothingToRoundAreSharedWhole) {
  const std::string model = split_model(root / "split");
  const auto before = contents(model);
  auto writer = Writer::create(model, path("out"));
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE(run(**writer).ok());
  EXPECT_GE((*writer)->totals().shared_bytes, fs::file_size(model + "/b.safetensors"));
  EXPECT_EQ(contents(path("out")).at("b.safetensors"), before.at("b.safetensors"));
  const auto whole = contents(path("out"));
  for (size_t steps = 0; steps < 60; steps += 3) {
    fs::remove_all(root / "out");
    FullDisk disk(steps);
    if (!quantize(model, path("out"), disk).ok() && !fs::exists(path("out"))) {
      ASSERT_TRUE(quantize(model, path("out")).ok());
    }
    fs::remove_all(path("out") + "/.vitalis-quantize");
    ASSERT_TRUE(contents(path("out")) == whole) << steps;
    ASSERT_TRUE(contents(model) == before) << steps;
  }
}

TEST_F(Write, ASecondNameNeedsNoRoom) {
  const std::string model = split_model(root / "split");
  const auto before = contents(model);
  EXPECT_EQ(needed(model, path("out")),
            size_of(expected(model)) - fs::file_size(model + "/b.safetensors"));
  // A kill may leave a trial behind: the source under another name.
  fs::create_directories(path("out.partial/.vitalis-quantize"));
  for (const char* trial : {"copy", "link"}) {
    fs::create_hard_link(model + "/b.safetensors", path("out.partial/.vitalis-quantize/") + trial);
  }
  ASSERT_TRUE(quantize(model, path("out")).ok());
  EXPECT_TRUE(contents(model) == before);
  EXPECT_TRUE(contents(path("out")) == contents(path("expected")));
}

TEST_F(Write, AnotherSourceBeginsAnew) {
  const std::string model = copy_of(kBase);
  FullDisk disk(20);
  EXPECT_FALSE(quantize(model, path("out"), disk).ok());
  std::ofstream(model + "/generation_config.json") << "{}";
  auto writer = Writer::create(model, path("out"));
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  EXPECT_EQ((*writer)->totals().resumed_bytes, 0U);
  ASSERT_TRUE((*writer)->next().ok());
  std::ofstream(model + "/generation_config.json") << "{ }";
  expect_error(run(**writer), Code::kIntegrity, "was changed while it was read");
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Write, FoldersInTheWayAreLeftAlone) {
  fs::create_directories(root / "taken");
  std::ofstream(root / "taken" / "thesis.txt") << "years of work";
  expect_error(quantize(kBase, path("taken")), Code::kInvalidArgument, "is there already");
  expect_error(quantize(kBase, path("taken/thesis.txt")), Code::kInvalidArgument, "is there");
  fs::rename(root / "taken", root / "out.partial");
  expect_error(quantize(kBase, path("out")), Code::kInvalidArgument, "is in the way");
  EXPECT_TRUE(fs::exists(root / "out.partial" / "thesis.txt"));
  fs::create_directories(root / "empty");
  EXPECT_TRUE(quantize(kBase, path("empty/")).ok());
  expect_error(quantize(kBase, path("none/out")), Code::kNotFound, "there is no folder");
  expect_error(quantize(kBase, ""), Code::kInvalidArgument, "no name");
  expect_error(quantize(path("none"), path("x")), Code::kNotFound, "none");
}

TEST_F(Write, OneProcessAtATime) {
  const auto first = Writer::create(kBase, path("out"));
  ASSERT_TRUE(first.ok()) << first.status().message();
  expect_error(quantize(kBase, path("out")), Code::kBusy, text("process ", ::getpid()));
}

TEST_F(Write, OtherFormsAreRefusedByName) {
  ASSERT_TRUE(quantize(kBase, path("once")).ok());
  expect_error(quantize(path("once"), path("twice")), Code::kUnsupported, "already");
  std::ofstream(path("m.gguf"), std::ios::binary)
      << model::gguf_of(model::Checkpoint::open(kBase).take(), model::GgufMatrices::kBf16).file();
  expect_error(quantize(path("m.gguf"), path("x")), Code::kUnsupported, "is GGUF; supported");
}

TEST_F(Write, NumbersThatEightBitsCannotHoldAreTold) {
  const std::string model = copy_of(kTiny);
  const std::string bytes = contents(model).at("model.safetensors");
  const auto parsed = formats::parse_safetensors(std::as_bytes(std::span(bytes)), "m");
  for (const formats::TensorRange& tensor : parsed->tensors) {
    if (tensor.name != "lm_head.weight") continue;
    std::fstream file(model + "/model.safetensors", std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(tensor.offset + 2 * 100));
    file << '\x80' << '\x7F';  // infinity
  }
  const Status refused = quantize(model, path("out"));
  expect_error(refused, Code::kMalformed, "tensor \"lm_head.weight\" holds a number");
  expect_error(refused, Code::kMalformed, "among the 32 from 96 on");
  EXPECT_FALSE(fs::exists(path("out")));
}

class Inconsistent : public Write {
 protected:
  void refuse(Code code, std::string_view part) const {
    const auto opened = model::Checkpoint::open(path("out"));
    ASSERT_FALSE(opened.ok());
    expect_error(opened.status(), code, part);
  }
  void replace_config(std::string_view from, std::string_view to) const {
    std::string config = contents(path("out")).at("config.json");
    const size_t place = config.find(from);
    ASSERT_NE(place, std::string::npos);
    std::ofstream(path("out/config.json")) << config.replace(place, from.size(), to);
  }
};

// What a library that knows nothing of eight bits sees: its own reader takes this way.
TEST_F(Inconsistent, EightBitsWithoutTheMark) {
  ASSERT_TRUE(quantize(kBase, path("out")).ok());
  replace_config("dense_quantization_config", "unknown_to_older_readers");
  refuse(Code::kMalformed, "tensor \"lm_head.weight\" is U8 [256, 2, 34]; expected BF16 [256, 64]");
}

TEST_F(Inconsistent, TheMarkWithoutEightBits) {
  fs::copy(kBase, root / "out");
  replace_config("{", "{\"dense_quantization_config\": {\"quant_method\": \"q8_0\"},");
  refuse(Code::kMalformed, "tensor \"lm_head.weight\" is BF16 [256, 64]; expected U8 [256, 2, 34]");
}

TEST_F(Inconsistent, AnotherMethod) {
  ASSERT_TRUE(quantize(kBase, path("out")).ok());
  replace_config("q8_0", "q7");
  refuse(Code::kUnsupported, "the dense tensors are quantized by \"q7\"; supported: \"q8_0\"");
  replace_config("{\n    \"quant_method\": \"q7\"\n  }", "8");
  refuse(Code::kMalformed, "\"dense_quantization_config\" should be an object");
}

// The most that was resident since the last call, in bytes.
uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

TEST_F(Write, MemoryDoesNotGrowWithTheModel) {
  model::Config config = synthetic::gpt_oss_20b(1);
  config.vocab = 40'000;  // 230 MB each, embedding and head
  config.experts = 4;
  fs::create_directories(root / "large");
  ASSERT_TRUE(synthetic::write_checkpoint(config, path("large"), 1).ok());
  ASSERT_GT(fs::file_size(root / "large" / "model.safetensors"), 500'000'000U);
  std::ofstream("/proc/self/clear_refs") << 5;
  const uint64_t before = peak_memory();
  ASSERT_TRUE(quantize(path("large"), path("out"), hub::Disk::real(), 256 << 20).ok());
  EXPECT_LT(peak_memory(), before + (64 << 20));
}

}  // namespace
}  // namespace vitalis::quantize
