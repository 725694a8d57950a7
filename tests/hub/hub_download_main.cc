// SPDX-License-Identifier: Apache-2.0
// A download as a process of its own, to be killed:
//
//   hub_download ENDPOINT CA_FILE CACHE REPO CONNECTIONS BYTES_PER_SECOND
//
// writes the bytes it fetched, or the sentence of its failure.
#include <iostream>
#include <string>
#include <vector>

#include "hub/download.h"
#include "hub/hub.h"

namespace {

using namespace vitalis;       // NOLINT(google-build-using-namespace)
using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)

Result<uint64_t> download(const std::vector<std::string>& arguments) {
  Options options;
  options.endpoint = arguments[0];
  options.ca_file = arguments[1];
  options.connections = static_cast<uint32_t>(std::stoul(arguments[4]));
  options.rate_limit = std::stoull(arguments[5]);
  options.retry_delay_ms = 10;
  VITALIS_ASSIGN(Hub hub, Hub::create(options));
  VITALIS_ASSIGN(const Listing listing, hub.list(RepoRef{.id = arguments[3]}));
  VITALIS_ASSIGN(const auto files, select_files(listing, {}));
  VITALIS_ASSIGN(Plan plan, make_plan(listing, files, {.cache_dir = arguments[2]}));
  VITALIS_ASSIGN(Transfer transfer, Transfer::create(options, std::move(plan)));
  while (true) {
    VITALIS_ASSIGN(const Progress progress, transfer.next());
    for (const std::string& notice : transfer.take_notices()) std::cerr << notice << '\n';
    if (progress.stage == Progress::Stage::kDone) return progress.bytes_fetched;
  }
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() != 6) return 2;
  const auto fetched = download(arguments);
  if (!fetched.ok()) {
    std::cerr << fetched.status().message() << '\n';
    return 1;
  }
  std::cout << *fetched << '\n';
  return 0;
}
