// SPDX-License-Identifier: Apache-2.0
// A hub on this machine: a real server of the protocol, for HTTPS with an authority made on the
// spot, that misbehaves on demand. Contents lie on a second server under another host name, behind
// signed addresses, as at the real one. One object for each test; all of it may be used from any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <httplib.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vitalis::tests {

using Content = std::shared_ptr<const std::string>;
Content content_of(std::string bytes);
// `size` bytes that no compressor likes, different for each seed.
Content random_content(uint64_t size, uint64_t seed);
std::string sha256_hex(std::string_view bytes);
std::string git_sha1_hex(std::string_view bytes);

struct MockFile {
  Content content;
  bool is_large = false;  // kept apart, listed by SHA-256
  std::string digest;     // sha256 or git's sha1, as listed
  uint64_t size = 0;      // as listed
};
using MockTree = std::map<std::string, MockFile>;
MockFile small_file(std::string bytes);
MockFile large_file(Content content);

// How the server of contents misbehaves. Zero or false: not at all.
struct ContentFaults {
  uint64_t close_after = 0;  // bytes of each answer
  bool ignores_ranges = false;
  bool claims_gzip = false;
  bool flips_a_byte = false;   // right size, wrong content
  int flips_left = -1;         // how many answers are flipped; -1: all
  bool sends_more = false;     // than was asked for
  bool is_short = false;       // 416 to everything beyond the first half
  bool shifts_ranges = false;  // Content-Range of other bytes
  uint64_t bytes_per_second = 0;
  uint64_t expires_after = 0;  // answers, then every signature made so far is refused
};

struct Seen {
  bool at_hub = true;  // else the server of contents
  std::string method;
  std::string path;
  std::string authorization;
  std::string range;
  std::string accept_encoding;
  std::string user_agent;
  int status = 0;
};

class MockHub {
 public:
  // Without TLS it is for http://localhost.
  explicit MockHub(bool tls = true);
  ~MockHub();
  MockHub(const MockHub&) = delete;
  MockHub& operator=(const MockHub&) = delete;

  std::string endpoint() const;
  std::string ca_file() const { return ca_file_; }
  int hub_port() const { return hub_port_; }

  // A new commit on a branch, of the given files; its id.
  std::string commit(const std::string& repo, MockTree tree, const std::string& branch = "main");
  void tag(const std::string& repo, const std::string& name, const std::string& commit);
  void rename(const std::string& from, const std::string& to);
  void set_gated(const std::string& repo, bool gated);
  void set_private(const std::string& repo, bool is_private);
  void set_disabled(const std::string& repo, bool disabled);
  // A token that the hub knows, of this account; `let_in`: to gated repositories.
  void add_token(const std::string& token, const std::string& account, bool let_in);
  void expire_signatures();

  // Called first for every request at the hub (or the server of contents); true: it has answered.
  using Hook = std::function<bool(const httplib::Request&, httplib::Response&)>;
  void on_hub(Hook hook);
  void on_content(Hook hook);
  void set_faults(ContentFaults faults);
  void set_page_size(size_t files) { page_size_ = files; }

  std::vector<Seen> seen() const;
  size_t count(const std::string& part_of_path) const;
  uint64_t content_bytes() const { return content_bytes_; }  // sent, of large files
  void forget_seen();

 private:
  struct Repo {
    std::map<std::string, MockTree> commits;
    std::map<std::string, std::string> branches;
    std::map<std::string, std::string> tags;
    std::string renamed_to;
    bool gated = false, is_private = false, disabled = false;
  };
  struct Account {
    std::string name;
    bool let_in = false;
  };
  using Request = httplib::Request;
  using Response = httplib::Response;

  void answer_hub(const Request& request, Response& response);
  void answer_content(const Request& request, Response& response);
  void answer_info(const Request& request, Response& response, const std::string& id,
                   const std::string& revision);
  void answer_tree(const Request& request, Response& response, const std::string& id,
                   const std::string& commit);
  void answer_refs(Response& response, const std::string& id);
  void answer_resolve(const Request& request, Response& response, const std::string& id,
                      const std::string& rest);
  void answer_small(const Request& request, Response& response, const std::string& rest);
  void answer_whoami(const Request& request, Response& response);
  Repo* admit(const Request& request, Response& response, const std::string& id);
  void send(const Request& request, Response& response, const Content& content,
            const ContentFaults& faults);
  void log(bool at_hub, const Request& request, const Response& response);

  bool tls_;
  std::string ca_file_;
  std::unique_ptr<httplib::Server> hub_;
  std::unique_ptr<httplib::Server> content_;
  int hub_port_ = 0;
  int content_port_ = 0;
  std::thread hub_thread_;
  std::thread content_thread_;

  mutable std::mutex mutex_;
  std::map<std::string, Repo> repos_;
  std::map<std::string, Account> tokens_;
  std::map<std::string, Content> contents_;  // by sha256
  std::map<std::string, size_t> listed_;     // how large, if not as it is
  Hook hub_hook_;
  Hook content_hook_;
  ContentFaults faults_;
  std::vector<Seen> seen_;
  uint64_t signature_ = 1000;  // of the next address
  uint64_t oldest_valid_ = 0;
  uint64_t content_answers_ = 0;
  uint64_t commits_ = 0;
  std::atomic<uint64_t> content_bytes_{0};
  std::atomic<size_t> page_size_{1000};
};

}  // namespace vitalis::tests
