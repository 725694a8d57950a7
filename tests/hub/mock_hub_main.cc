// SPDX-License-Identifier: Apache-2.0
// The mock hub as a program, for tests of programs:
//
//   mock_hub [--plain] [--token TOKEN] [--rate BYTES_PER_SECOND] REPO=FOLDER…
//
// serves each folder as a repository (files above 100 kB, and *.safetensors, as large ones), writes
// "ENDPOINT CA_FILE" and the commits as lines to standard output, and serves until standard input
// ends. A line "commit REPO=FOLDER" there makes a new commit; "expire" ends all signatures.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "hub/mock_hub.h"

namespace {

using namespace vitalis::tests;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

MockTree tree_of(const fs::path& folder) {
  constexpr uint64_t kSmallest = 100'000;
  MockTree tree;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const bool is_large =
        entry.file_size() > kSmallest || entry.path().extension() == ".safetensors";
    tree[fs::relative(entry.path(), folder)] =
        is_large ? large_file(content_of(bytes.str())) : small_file(bytes.str());
  }
  return tree;
}

void add(MockHub& hub, const std::string& argument) {
  const size_t sign = argument.find('=');
  if (sign == std::string::npos) {
    std::cerr << "expected REPO=FOLDER, found " << argument << '\n';
    std::exit(2);
  }
  const std::string repo = argument.substr(0, sign);
  std::cout << repo << ' ' << hub.commit(repo, tree_of(argument.substr(sign + 1))) << std::endl;
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  bool plain = false;
  ContentFaults faults;
  std::vector<std::string> tokens, repos;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--plain") {
      plain = true;
    } else if (arguments[i] == "--token" && has_value) {
      tokens.push_back(arguments[++i]);
    } else if (arguments[i] == "--rate" && has_value) {
      faults.bytes_per_second = std::stoull(arguments[++i]);
    } else {
      repos.push_back(arguments[i]);
    }
  }
  MockHub hub(!plain);
  hub.set_faults(faults);
  for (const std::string& token : tokens) hub.add_token(token, "person", true);
  std::cout << hub.endpoint() << ' ' << hub.ca_file() << std::endl;
  for (const std::string& repo : repos) add(hub, repo);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.rfind("commit ", 0) == 0) add(hub, line.substr(7));
    if (line == "expire") hub.expire_signatures();
  }
  return 0;
}
