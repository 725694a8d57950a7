// SPDX-License-Identifier: Apache-2.0
#include "transfer_view.h"

#include <chrono>
#include <cstdlib>
#include <set>
#include <vector>

#include "json_writer.h"
#include "text.h"

namespace vitalis::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostFilesShown = 6;
constexpr auto kBetweenLines = std::chrono::milliseconds(500);  // of JSON

const char* stage_name(int32_t stage) {
  switch (stage) {
    case VITALIS_TRANSFER_LOCKED:
      return "locked";
    case VITALIS_TRANSFER_PAUSED:
      return "paused";
    case VITALIS_TRANSFER_DONE:
      return "done";
    case VITALIS_TRANSFER_CANCELLED:
      return "cancelled";
    default:
      return "working";
  }
}

const char* state_name(int32_t state) {
  switch (state) {
    case VITALIS_FILE_FETCHING:
      return "fetching";
    case VITALIS_FILE_VERIFYING:
      return "verifying";
    case VITALIS_FILE_DONE:
      return "done";
    default:
      return "waiting";
  }
}

// "1:02:03", "4:05"
std::string duration(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  const auto two = [](uint64_t number) {
    std::string digits(number < 10 ? "0" : "");
    return digits += std::to_string(number);
  };
  const uint64_t hours = whole / 3600;
  const std::string minutes =
      hours > 0 ? std::to_string(hours) + ':' + two(whole / 60 % 60) : std::to_string(whole / 60);
  return minutes + ':' + two(whole % 60);
}

std::string percent(uint64_t part, uint64_t whole) {
  const uint64_t share = whole == 0 ? 100 : part * 100 / whole;
  const std::string digits = std::to_string(share);
  return std::string(3 - std::min<size_t>(digits.size(), 3), ' ') + digits + '%';
}

bool shows_bars(const Options& options, const Output& output) {
  const char* off = std::getenv("HF_HUB_DISABLE_PROGRESS_BARS");
  const bool wanted = off == nullptr || *off == '\0' || *off == '0';
  return wanted && !options.json && output.shows_progress();
}

class View {
 public:
  View(vitalis_transfer* transfer, const Options& options, Output& output)
      : transfer_(transfer),
        options_(options),
        output_(output),
        shows_bars_(shows_bars(options, output)) {}

  // False if there is no use in going on.
  bool show(const vitalis_transfer_progress& progress);

 private:
  std::vector<vitalis_transfer_file> files(uint32_t count) const;
  void show_bars(const vitalis_transfer_progress& progress);
  bool print_line(const vitalis_transfer_progress& progress);

  vitalis_transfer* transfer_;
  const Options& options_;
  Output& output_;
  bool shows_bars_;
  std::set<std::string> told_;  // files whose end was told
  Clock::time_point last_line_;
};

bool View::show(const vitalis_transfer_progress& progress) {
  if (options_.json) return print_line(progress);
  if (shows_bars_) show_bars(progress);
  return true;
}

// The paths are borrowed until the next call of the transfer, so they are used at once.
std::vector<vitalis_transfer_file> View::files(uint32_t count) const {
  std::vector<vitalis_transfer_file> files(count);
  for (uint32_t i = 0; i < count; ++i) {
    files[i].struct_size = sizeof files[i];
    vitalis_transfer_get_file(transfer_, i, &files[i]);
  }
  return files;
}

void View::show_bars(const vitalis_transfer_progress& progress) {
  std::vector<std::string> lines;
  for (const vitalis_transfer_file& file : files(progress.files)) {
    const std::string path(view(file.path));
    if (file.state == VITALIS_FILE_DONE && told_.insert(path).second) {
      output_.note("  " + path + "  " + size_for_people(file.size) + ", verified");
    }
    const bool under_way =
        file.state == VITALIS_FILE_FETCHING || file.state == VITALIS_FILE_VERIFYING;
    if (!under_way || lines.size() == kMostFilesShown) continue;
    const bool verifying = file.state == VITALIS_FILE_VERIFYING;
    lines.push_back("  " + percent(verifying ? file.verified : file.landed, file.size) + "  " +
                    path + "  " + size_for_people(file.landed) + " of " +
                    size_for_people(file.size) + (verifying ? ", verifying" : ""));
  }
  std::string total = percent(progress.bytes_landed, progress.bytes_total) + "  " +
                      size_for_people(progress.bytes_landed) + " of " +
                      size_for_people(progress.bytes_total);
  if (progress.bytes_per_second > 0) {
    total += ", " + size_for_people(static_cast<uint64_t>(progress.bytes_per_second)) + "/s";
  }
  if (progress.seconds_left >= 0) total += ", " + duration(progress.seconds_left) + " left";
  if (progress.note.size > 0) total += "; " + std::string(view(progress.note));
  lines.push_back(total);
  output_.show_progress(lines);
}

bool View::print_line(const vitalis_transfer_progress& progress) {
  const bool last =
      progress.stage == VITALIS_TRANSFER_DONE || progress.stage == VITALIS_TRANSFER_CANCELLED;
  if (!last && Clock::now() - last_line_ < kBetweenLines) return true;
  last_line_ = Clock::now();
  JsonWriter json(JsonWriter::Style::kOneLine);
  json.begin_object().key("event").value("progress").key("stage").value(stage_name(progress.stage));
  json.key("bytes_total").value(progress.bytes_total);
  json.key("bytes_landed").value(progress.bytes_landed);
  json.key("bytes_verified").value(progress.bytes_verified);
  json.key("bytes_fetched").value(progress.bytes_fetched);
  json.key("bytes_per_second").number(progress.bytes_per_second);
  json.key("seconds_left");
  if (progress.seconds_left >= 0) {
    json.number(progress.seconds_left);
  } else {
    json.null();
  }
  json.key("connections").value(uint64_t{progress.connections});
  json.key("note").value(view(progress.note));
  json.key("files").begin_array();
  for (const vitalis_transfer_file& file : files(progress.files)) {
    json.begin_object().key("path").value(view(file.path));
    json.key("size").value(file.size).key("landed").value(file.landed);
    json.key("verified").value(file.verified).key("state").value(state_name(file.state));
    json.end_object();
  }
  json.end_array().end_object();
  return output_.print(json.text());
}

}  // namespace

std::string plan_for_people(const Json& plan) {
  const auto size = [&plan](const char* name) { return size_for_people(plan[name].number()); };
  const uint64_t wanted = plan["files"].items().size();
  return plan["repo"].text() + " at " + plan["revision"].text() + ", commit " +
         short_commit(plan["commit"].text()) + '\n' + std::to_string(wanted) + " of " +
         std::to_string(plan["files_listed"].number()) + " files, " + size("bytes_total") + ": " +
         size("bytes_to_fetch") + " to fetch, " + size("bytes_reused") + " here already; " +
         size("bytes_free") + " free\ninto " + plan["folder"].text();
}

int show_transfer(vitalis_transfer* transfer, const Options& options, Interrupt& interrupt,
                  Output& output) {
  View progress_view(transfer, options, output);
  vitalis_transfer_progress progress{};
  progress.struct_size = sizeof progress;
  interrupt.watch([transfer] { vitalis_transfer_cancel(transfer); });
  int32_t status = VITALIS_OK;
  bool heard = true;
  while (heard && status == VITALIS_OK) {
    status = vitalis_transfer_next(transfer, &progress);
    if (status >= VITALIS_OK) heard = progress_view.show(progress);
  }
  interrupt.watch(nullptr);
  const std::string sentence = status < VITALIS_OK ? vitalis_last_error() : "";
  output.clear_progress();
  vitalis_text notices{};
  if (vitalis_transfer_notices(transfer, &notices) >= VITALIS_OK) {
    for (const Json& notice : Json::parse(view(notices)).items()) output.error(notice.text());
  }
  if (!heard) return output.exit_code(kExitError);
  if (status == VITALIS_CANCELLED) {
    output.error("stopped by Ctrl-C; what landed stays, and the same command goes on from there");
    return kExitInterrupted;
  }
  if (status < VITALIS_OK) {
    output.error(sentence);
    return kExitError;
  }
  return kExitOk;
}

}  // namespace vitalis::cli
