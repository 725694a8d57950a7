// SPDX-License-Identifier: Apache-2.0
// How fast a download from this machine is, verified and durable, beside what the program curl
// needs for the same bytes from the same server without verifying; and the memory it takes.
//
//   hub_bench [MEGABYTES [FOLDER [CONNECTIONS [ROUNDS]]]]
//
// Server and clients are processes of their own, so that each one's memory is its own. Curl and
// ours take turns; the best of each counts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <spawn.h>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "hub/download.h"
#include "hub/hub.h"

extern char** environ;

namespace {

using namespace vitalis;       // NOLINT(google-build-using-namespace)
using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kRepo = "bench/model";

struct Run {
  double seconds = 0;
  double processor_seconds = 0;
  long peak_kib = 0;
  bool good = false;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Run run(const std::vector<std::string>& arguments) {
  std::vector<char*> values;
  for (const std::string& argument : arguments)
    values.push_back(const_cast<char*>(argument.c_str()));
  values.push_back(nullptr);
  const auto begin = Clock::now();
  pid_t process = 0;
  if (::posix_spawnp(&process, values[0], nullptr, nullptr, values.data(), environ) != 0) return {};
  int status = 0;
  rusage usage = {};
  ::wait4(process, &status, 0, &usage);
  return {.seconds = std::chrono::duration<double>(Clock::now() - begin).count(),
          .processor_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
          .peak_kib = usage.ru_maxrss,
          .good = WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

// The process that is measured.
Status fetch(const std::string& endpoint, const std::string& ca, const std::string& folder,
             const std::string& connections) {
  Options options;
  options.endpoint = endpoint;
  options.ca_file = ca;
  options.connections = static_cast<uint32_t>(std::stoul(connections));
  VITALIS_ASSIGN(Hub hub, Hub::create(options));
  VITALIS_ASSIGN(const Listing listing, hub.list(RepoRef{.id = kRepo}));
  VITALIS_ASSIGN(const auto files, select_files(listing, {.all = true}));
  VITALIS_ASSIGN(Plan plan, make_plan(listing, files, {.cache_dir = folder}));
  VITALIS_ASSIGN(Transfer transfer, Transfer::create(options, std::move(plan)));
  while (true) {
    VITALIS_ASSIGN(const Progress progress, transfer.next());
    if (progress.stage == Progress::Stage::kDone) return {};
  }
}

// A mock hub in a process; its endpoint and authority as it tells them.
class Server {
 public:
  Server(const std::string& model, bool tls) {
    int in[2], out[2];
    if (::pipe(in) != 0 || ::pipe(out) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, in[1]);
    const std::string repo = std::string(kRepo) + '=' + model;
    const char* arguments[] = {VITALIS_MOCK_HUB, repo.c_str(), tls ? nullptr : "--plain", nullptr};
    ::posix_spawn(&process_, VITALIS_MOCK_HUB, &actions, nullptr, const_cast<char**>(arguments),
                  environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::string text;
    char c = 0;
    for (int lines = 0; lines < 2 && ::read(out[0], &c, 1) == 1; lines += c == '\n' ? 1 : 0) {
      text += c;
    }
    ::close(out[0]);
    std::istringstream(text) >> endpoint >> ca >> repo_ >> commit;
  }
  ~Server() {
    ::close(input_);
    ::waitpid(process_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string endpoint, ca, commit;

 private:
  std::string repo_;
  pid_t process_ = 0;
  int input_ = -1;
};

void measure(const char* self, const std::string& model, const std::string& folder, bool tls,
             uint64_t bytes, const std::string& connections, int rounds) {
  const Server server(model, tls);
  const std::string url =
      server.endpoint + '/' + kRepo + "/resolve/" + server.commit + "/model.safetensors";
  Run best_curl, best_ours;
  for (int round = 0; round < rounds; ++round) {
    const std::string target = folder + "/curl";
    const Run curl = run({"curl", "--silent", "--fail", "--location", "--cacert", server.ca,
                          "--output", target, url});
    fs::remove(target);
    const Run ours =
        run({self, "--fetch", server.endpoint, server.ca, folder + "/ours", connections});
    fs::remove_all(folder + "/ours");
    for (const auto& [now, best] : {std::pair{&curl, &best_curl}, {&ours, &best_ours}}) {
      if (!now->good) std::fprintf(stderr, "a run failed\n");
      if (now->good && (!best->good || now->seconds < best->seconds)) *best = *now;
    }
  }
  const double gigabytes = static_cast<double>(bytes) / 1e9;
  for (const auto& [name, best] : {std::pair{"curl", best_curl}, {"vitalis", best_ours}}) {
    std::printf("%-6s %-8s %6.2f s %6.2f GB/s  %5.2f processor s/GB  peak %5.1f MiB\n",
                tls ? "https" : "http", name, best.seconds, gigabytes / best.seconds,
                best.processor_seconds / gigabytes, static_cast<double>(best.peak_kib) / 1024);
  }
}

void write_model(const std::string& path, uint64_t bytes) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> block(1 << 17);
  std::ofstream file(path, std::ios::binary);
  for (uint64_t done = 0; done < bytes;) {
    for (uint64_t& value : block) value = random();
    const uint64_t now = std::min<uint64_t>(block.size() * 8, bytes - done);
    file.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(now));
    done += now;
  }
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() == 5 && arguments[0] == "--fetch") {
    const Status status = fetch(arguments[1], arguments[2], arguments[3], arguments[4]);
    if (!status.ok()) std::cerr << status.message() << '\n';
    return status.ok() ? 0 : 1;
  }
  arguments.resize(4);
  const uint64_t bytes =
      (arguments[0].empty() ? 2048 : std::stoull(arguments[0])) * uint64_t{1'000'000};
  const std::string folder =
      (arguments[1].empty() ? "/dev/shm" : arguments[1]) + "/vitalis-hub-bench";
  const std::string connections = arguments[2].empty() ? "4" : arguments[2];
  const int rounds = arguments[3].empty() ? 3 : std::stoi(arguments[3]);
  fs::create_directories(folder + "/model");
  write_model(folder + "/model/model.safetensors", bytes);
  for (const bool tls : {true, false}) {
    measure(values[0], folder + "/model", folder, tls, bytes, connections, rounds);
  }
  fs::remove_all(folder);
  return 0;
}
