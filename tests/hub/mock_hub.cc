// SPDX-License-Identifier: Apache-2.0
#include "hub/mock_hub.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <random>
#include <unistd.h>

namespace vitalis::tests {
namespace {

constexpr size_t kChunk = 1 << 20;  // sent at once
constexpr const char* kHubHost = "localhost";
constexpr const char* kContentHost = "content.localhost";

std::string digest_hex(const EVP_MD* algorithm, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", digest[i]);
    out += hex;
  }
  return out;
}

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key,
                             const char* host_names) {
  Certificate certificate(X509_new());
  X509* const c = certificate.get();
  X509_set_version(c, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), std::random_device{}());
  X509_gmtime_adj(X509_getm_notBefore(c), -3600);
  X509_gmtime_adj(X509_getm_notAfter(c), 24 * 3600);
  X509_set_pubkey(c, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer : c));
  add_extension(c, issuer ? issuer : c, NID_basic_constraints,
                issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (host_names) add_extension(c, issuer, NID_subject_alt_name, host_names);
  X509_sign(c, issuer_key, EVP_sha256());
  return certificate;
}

std::string json_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void fail(httplib::Response& response, int status, const char* code, const char* message) {
  response.status = status;
  if (code) response.set_header("X-Error-Code", code);
  if (message) response.set_header("X-Error-Message", message);
  response.set_header("X-Request-Id", "mock-request");
  response.set_content("{\"error\":\"refused\"}", "application/json");
}

std::string bearer(const httplib::Request& request) {
  const std::string value = request.get_header_value("Authorization");
  return value.rfind("Bearer ", 0) == 0 ? value.substr(7) : value;
}

}  // namespace

Content content_of(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

Content random_content(uint64_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  std::mt19937_64 random(seed);
  for (uint64_t i = 0; i < size; i += 8) {
    const uint64_t value = random();
    std::memcpy(bytes.data() + i, &value, std::min<uint64_t>(8, size - i));
  }
  return content_of(std::move(bytes));
}

std::string sha256_hex(std::string_view bytes) {
  return digest_hex(EVP_sha256(), bytes);
}

std::string git_sha1_hex(std::string_view bytes) {
  std::string blob = "blob " + std::to_string(bytes.size());
  blob += '\0';
  return digest_hex(EVP_sha1(), blob.append(bytes));
}

MockFile small_file(std::string bytes) {
  MockFile file{.content = content_of(std::move(bytes))};
  file.digest = git_sha1_hex(*file.content);
  file.size = file.content->size();
  return file;
}

MockFile large_file(Content content) {
  MockFile file{.content = std::move(content), .is_large = true};
  file.digest = sha256_hex(*file.content);
  file.size = file.content->size();
  return file;
}

MockHub::MockHub(bool tls) : tls_(tls) {
  // Of its own name, or two of them could not be told apart.
  const std::string authority_name = "mock authority " + std::to_string(std::random_device{}());
  Key authority_key(EVP_EC_gen("P-256"));
  Key key(EVP_EC_gen("P-256"));
  const Certificate authority = make_certificate(authority_key.get(), authority_name.c_str(),
                                                 nullptr, authority_key.get(), nullptr);
  const std::string names = std::string("DNS:") + kHubHost + ",DNS:" + kContentHost;
  const Certificate certificate =
      make_certificate(key.get(), "mock hub", authority.get(), authority_key.get(), names.c_str());
  std::string path = std::filesystem::temp_directory_path() / "mock-hub-ca-XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  ca_file_ = path;
  FILE* const file = ::fdopen(descriptor, "w");
  PEM_write_X509(file, authority.get());
  std::fclose(file);

  const auto make = [&]() -> std::unique_ptr<httplib::Server> {
    std::unique_ptr<httplib::Server> server;
    if (tls) {
      server = std::make_unique<httplib::SSLServer>(certificate.get(), key.get());
    } else {
      server = std::make_unique<httplib::Server>();
    }
    server->new_task_queue = [] { return new httplib::ThreadPool(40); };
    server->set_keep_alive_max_count(1'000'000);
    server->set_keep_alive_timeout(30);
    server->set_tcp_nodelay(true);
    server->set_write_timeout(30);
    return server;
  };
  hub_ = make();
  content_ = make();
  const auto hub = [this](const Request& request, Response& response) {
    answer_hub(request, response);
    log(true, request, response);  // before it is sent: whoever has the answer finds it logged
  };
  const auto content = [this](const Request& request, Response& response) {
    answer_content(request, response);
    log(false, request, response);
  };
  hub_->Get(".*", hub);
  hub_->Post(".*", hub);
  content_->Get(".*", content);
  hub_port_ = hub_->bind_to_any_port("127.0.0.1");
  content_port_ = content_->bind_to_any_port("127.0.0.1");
  hub_thread_ = std::thread([this] { hub_->listen_after_bind(); });
  content_thread_ = std::thread([this] { content_->listen_after_bind(); });
  while (!hub_->is_running() || !content_->is_running()) std::this_thread::yield();
}

MockHub::~MockHub() {
  hub_->stop();
  content_->stop();
  hub_thread_.join();
  content_thread_.join();
  ::unlink(ca_file_.c_str());
}

std::string MockHub::endpoint() const {
  return std::string(tls_ ? "https://" : "http://") + kHubHost + ':' + std::to_string(hub_port_);
}

std::string MockHub::commit(const std::string& repo, MockTree tree, const std::string& branch) {
  const std::lock_guard lock(mutex_);
  const std::string id = git_sha1_hex(repo + branch + std::to_string(++commits_));
  for (const auto& [path, file] : tree) {
    if (file.is_large) contents_[file.digest] = file.content;
  }
  repos_[repo].commits[id] = std::move(tree);
  repos_[repo].branches[branch] = id;
  return id;
}

void MockHub::tag(const std::string& repo, const std::string& name, const std::string& commit) {
  const std::lock_guard lock(mutex_);
  repos_[repo].tags[name] = commit;
}

void MockHub::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  repos_[to] = repos_[from];
  repos_[from] = {};
  repos_[from].renamed_to = to;
}

void MockHub::set_gated(const std::string& repo, bool gated) {
  const std::lock_guard lock(mutex_);
  repos_[repo].gated = gated;
}

void MockHub::set_private(const std::string& repo, bool is_private) {
  const std::lock_guard lock(mutex_);
  repos_[repo].is_private = is_private;
}

void MockHub::set_disabled(const std::string& repo, bool disabled) {
  const std::lock_guard lock(mutex_);
  repos_[repo].disabled = disabled;
}

void MockHub::add_token(const std::string& token, const std::string& account, bool let_in) {
  const std::lock_guard lock(mutex_);
  tokens_[token] = {account, let_in};
}

void MockHub::expire_signatures() {
  const std::lock_guard lock(mutex_);
  oldest_valid_ = signature_;
}

void MockHub::on_hub(Hook hook) {
  const std::lock_guard lock(mutex_);
  hub_hook_ = std::move(hook);
}

void MockHub::on_content(Hook hook) {
  const std::lock_guard lock(mutex_);
  content_hook_ = std::move(hook);
}

void MockHub::set_faults(ContentFaults faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

std::vector<Seen> MockHub::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

size_t MockHub::count(const std::string& part_of_path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(seen_.begin(), seen_.end(), [&](const Seen& seen) {
    return seen.path.find(part_of_path) != std::string::npos;
  }));
}

void MockHub::forget_seen() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
  content_bytes_ = 0;
}

void MockHub::log(bool at_hub, const Request& request, const Response& response) {
  const std::lock_guard lock(mutex_);
  seen_.push_back({.at_hub = at_hub,
                   .method = request.method,
                   .path = request.path,
                   .authorization = request.get_header_value("Authorization"),
                   .range = request.get_header_value("Range"),
                   .accept_encoding = request.get_header_value("Accept-Encoding"),
                   .user_agent = request.get_header_value("User-Agent"),
                   .status = response.status});
}

// The repository, if whoever asks may see it; else the answer is written.
MockHub::Repo* MockHub::admit(const Request& request, Response& response, const std::string& id) {
  const std::string token = bearer(request);
  const auto account = tokens_.find(token);
  if (!token.empty() && account == tokens_.end()) {
    fail(response, 401, nullptr, "Invalid credentials in Authorization header");
    return nullptr;
  }
  const auto at = repos_.find(id);
  if (at == repos_.end() || (at->second.is_private && token.empty())) {
    fail(response, token.empty() ? 401 : 404, "RepoNotFound", "Repository not found");
    return nullptr;
  }
  Repo& repo = at->second;
  if (!repo.renamed_to.empty()) {
    std::string path = request.path;
    path.replace(path.find(id), id.size(), repo.renamed_to);
    response.status = 307;
    response.set_header("Location", path);
    return nullptr;
  }
  if (repo.disabled) {
    fail(response, 403, nullptr, "Access to this resource is disabled.");
    return nullptr;
  }
  return &repo;
}

void MockHub::answer_hub(const Request& request, Response& response) {
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    hook = hub_hook_;
  }
  if (hook && hook(request, response)) return;
  const std::lock_guard lock(mutex_);
  const std::string& path = request.path;
  const auto begins = [&](const std::string& prefix) { return path.rfind(prefix, 0) == 0; };
  if (path == "/api/whoami-v2") return answer_whoami(request, response);
  if (begins("/api/resolve-cache/models/")) return answer_small(request, response, path.substr(26));
  if (begins("/api/models/")) {
    const std::string rest = path.substr(12);
    const size_t end = rest.find('/', rest.find('/') + 1);
    const std::string id = rest.substr(0, end);
    const std::string what = end == std::string::npos ? "" : rest.substr(end + 1);
    if (what == "refs") {
      if (admit(request, response, id)) answer_refs(response, id);
      return;
    }
    if (what.rfind("tree/", 0) == 0) return answer_tree(request, response, id, what.substr(5));
    return answer_info(request, response, id,
                       what.rfind("revision/", 0) == 0 ? what.substr(9) : "main");
  }
  const size_t at = path.find("/resolve/");
  if (at == std::string::npos) return fail(response, 404, nullptr, nullptr);
  answer_resolve(request, response, path.substr(1, at - 1), path.substr(at + 9));
}

void MockHub::answer_whoami(const Request& request, Response& response) {
  const auto account = tokens_.find(bearer(request));
  if (account == tokens_.end()) {
    return fail(response, 401, nullptr, "Invalid credentials in Authorization header");
  }
  response.set_content(
      "{\"type\":\"user\",\"name\":" + json_quoted(account->second.name) +
          ",\"fullname\":\"A "
          "Person\",\"email\":\"person@example.org\",\"orgs\":[{\"name\":\"acme\"}],"
          "\"auth\":{\"type\":\"access_token\",\"accessToken\":{\"displayName\":\"laptop\","
          "\"role\":"
          "\"read\"}}}",
      "application/json");
}

void MockHub::answer_info(const Request& request, Response& response, const std::string& id,
                          const std::string& revision) {
  const Repo* repo = admit(request, response, id);
  if (!repo) return;
  std::string commit = revision;
  if (const auto at = repo->branches.find(revision); at != repo->branches.end()) {
    commit = at->second;
  } else if (const auto tag = repo->tags.find(revision); tag != repo->tags.end()) {
    commit = tag->second;
  }
  const auto tree = repo->commits.find(commit);
  if (tree == repo->commits.end()) {
    return fail(response, 404, "RevisionNotFound", "Invalid rev id: nope");
  }
  response.set_header("RateLimit", "\"api\";r=499;t=300");
  response.set_content("{\"id\":" + json_quoted(id) + ",\"sha\":\"" + commit +
                           "\",\"private\":" + (repo->is_private ? "true" : "false") +
                           ",\"gated\":" + (repo->gated ? "\"auto\"" : "false") +
                           ",\"disabled\":false,\"siblings\":[]}",
                       "application/json");
}

void MockHub::answer_tree(const Request& request, Response& response, const std::string& id,
                          const std::string& commit) {
  const Repo* repo = admit(request, response, id);
  if (!repo) return;
  const auto tree = repo->commits.find(commit);
  if (tree == repo->commits.end()) return fail(response, 404, "RevisionNotFound", "Invalid rev id");
  const size_t begin =
      request.has_param("cursor") ? std::stoul(request.get_param_value("cursor")) : 0;
  std::string out = "[";
  size_t index = 0;
  std::string folder;
  for (const auto& [path, file] : tree->second) {
    if (index >= begin + page_size_) break;
    if (index++ < begin) continue;
    if (out.size() > 1) out += ',';
    const size_t slash = path.find('/');
    if (slash != std::string::npos && folder != path.substr(0, slash)) {
      folder = path.substr(0, slash);
      out += "{\"type\":\"directory\",\"oid\":\"" + git_sha1_hex(folder) +
             "\",\"size\":0,\"path\":" + json_quoted(folder) + "},";
    }
    out += "{\"type\":\"file\",\"path\":" + json_quoted(path) +
           ",\"size\":" + std::to_string(file.size) + ",\"oid\":\"" +
           (file.is_large ? git_sha1_hex(file.digest) : file.digest) + '"';
    if (file.is_large) {
      out += ",\"lfs\":{\"oid\":\"" + file.digest + "\",\"size\":" + std::to_string(file.size) +
             ",\"pointerSize\":135},\"xetHash\":\"" + sha256_hex(path) + '"';
    }
    out += '}';
  }
  if (index < tree->second.size()) {
    response.set_header("Link", '<' + endpoint() + request.path + "?recursive=true&cursor=" +
                                    std::to_string(index) + ">; rel=\"next\"");
  }
  response.set_content(out + ']', "application/json");
}

void MockHub::answer_refs(Response& response, const std::string& id) {
  const auto list = [](const std::map<std::string, std::string>& refs) {
    std::string out = "[";
    for (const auto& [name, commit] : refs) {
      if (out.size() > 1) out += ',';
      out += "{\"name\":" + json_quoted(name) + ",\"ref\":\"refs/x\",\"targetCommit\":\"" + commit +
             "\"}";
    }
    return out + ']';
  };
  const Repo& repo = repos_[id];
  response.set_content(
      "{\"branches\":" + list(repo.branches) + ",\"tags\":" + list(repo.tags) + ",\"converts\":[]}",
      "application/json");
}

void MockHub::answer_resolve(const Request& request, Response& response, const std::string& id,
                             const std::string& rest) {
  const Repo* repo = admit(request, response, id);
  if (!repo) return;
  const auto account = tokens_.find(bearer(request));
  if (repo->gated && (account == tokens_.end() || !account->second.let_in)) {
    return fail(response, account == tokens_.end() ? 401 : 403, "GatedRepo",
                "Access to model is restricted");
  }
  const size_t slash = rest.find('/');
  const std::string commit = rest.substr(0, slash);
  const std::string path = rest.substr(slash + 1);
  const auto tree = repo->commits.find(commit);
  if (tree == repo->commits.end()) return fail(response, 404, "RevisionNotFound", "Invalid rev id");
  const auto file = tree->second.find(path);
  if (file == tree->second.end()) return fail(response, 404, "EntryNotFound", "Entry not found");
  response.set_header("X-Repo-Commit", commit);
  if (!file->second.is_large) {
    response.status = 307;
    response.set_header("Location", "/api/resolve-cache/models/" + id + '/' + commit + '/' + path +
                                        "?download=true&etag=%22x%22");
    return;
  }
  response.status = 302;
  response.set_header("X-Linked-Size", std::to_string(file->second.size));
  response.set_header("X-Linked-Etag", '"' + file->second.digest + '"');
  response.set_header("Accept-Ranges", "bytes");
  response.set_header("Location", std::string(tls_ ? "https://" : "http://") + kContentHost + ':' +
                                      std::to_string(content_port_) + "/blob/" +
                                      file->second.digest +
                                      "?signature=" + std::to_string(signature_++));
}

void MockHub::answer_small(const Request& request, Response& response, const std::string& rest) {
  const size_t end = rest.find('/', rest.find('/') + 1);
  const Repo* repo = admit(request, response, rest.substr(0, end));
  if (!repo) return;
  const size_t slash = rest.find('/', end + 1);
  const auto tree = repo->commits.find(rest.substr(end + 1, slash - end - 1));
  if (tree == repo->commits.end()) return fail(response, 400, nullptr, "needs a commit");
  const auto file = tree->second.find(rest.substr(slash + 1));
  if (file == tree->second.end()) return fail(response, 404, "EntryNotFound", "Entry not found");
  if (request.get_param_value("download") != "true")
    return fail(response, 400, nullptr, "query lost");
  response.set_header("ETag", "W/\"" + file->second.digest + '"');
  response.set_content(*file->second.content, "application/octet-stream");
}

void MockHub::answer_content(const Request& request, Response& response) {
  Hook hook;
  ContentFaults faults;
  {
    const std::lock_guard lock(mutex_);
    hook = content_hook_;
  }
  if (hook && hook(request, response)) return;
  Content content;
  {
    const std::lock_guard lock(mutex_);
    faults = faults_;
    if (faults_.flips_a_byte && faults_.flips_left > 0 && --faults_.flips_left == 0) {
      faults_.flips_a_byte = false;
    }
    ++content_answers_;
    if (faults.expires_after != 0 && content_answers_ % faults.expires_after == 0) {
      oldest_valid_ = signature_;
    }
    const auto at = contents_.find(request.path.substr(std::min<size_t>(6, request.path.size())));
    const uint64_t signature =
        request.has_param("signature") ? std::stoull(request.get_param_value("signature")) : 0;
    if (at == contents_.end() || signature < oldest_valid_ || signature == 0) {
      response.status = 403;
      response.set_content("<Error><Code>AccessDenied</Code></Error>", "application/xml");
      return;
    }
    content = at->second;
  }
  response.set_header("ETag", '"' + sha256_hex("xet" + request.path) + '"');
  send(request, response, content, faults);
}

void MockHub::send(const Request& request, Response& response, const Content& content,
                   const ContentFaults& faults) {
  auto& ranges = const_cast<Request&>(request).ranges;  // the library answers ranges by itself
  if (faults.is_short && !ranges.empty() &&
      ranges[0].first >= static_cast<ssize_t>(content->size() / 2)) {
    response.status = 416;
    ranges.clear();
    return;
  }
  if (faults.ignores_ranges) ranges.clear();
  if (faults.claims_gzip) response.set_header("Content-Encoding", "gzip");
  if (faults.sends_more || faults.shifts_ranges) {
    const size_t first = ranges.empty() ? 0 : static_cast<size_t>(ranges[0].first);
    size_t size =
        ranges.empty() ? content->size() : static_cast<size_t>(ranges[0].second) + 1 - first;
    if (!ranges.empty()) {
      response.status = 206;
      const size_t told = first + (faults.shifts_ranges ? 1 : 0);
      response.set_header("Content-Range", "bytes " + std::to_string(told) + '-' +
                                               std::to_string(told + size - 1) + '/' +
                                               std::to_string(content->size() + 1));
      if (faults.sends_more) {
        response.headers.erase("Content-Range");
        response.set_header("Content-Range", "bytes " + std::to_string(first) + '-' +
                                                 std::to_string(first + size - 1) + '/' +
                                                 std::to_string(content->size()));
      }
    }
    ranges.clear();
    std::string body = content->substr(first, size);
    if (faults.sends_more) body += "and more";
    response.set_content(std::move(body), "application/octet-stream");
    return;
  }
  // How much of this answer went out; shared with the calls of one answer.
  const auto sent = std::make_shared<uint64_t>(0);
  response.set_content_provider(
      content->size(), "application/octet-stream",
      [this, content, faults, sent](size_t offset, size_t length, httplib::DataSink& sink) {
        size_t now = std::min(length, kChunk);
        if (faults.bytes_per_second != 0) {
          now = std::min<size_t>(now, std::max<uint64_t>(faults.bytes_per_second / 20, 1));
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        if (faults.close_after != 0) {
          if (*sent >= faults.close_after) return false;
          now = std::min<size_t>(now, faults.close_after - *sent);
        }
        if (faults.flips_a_byte && *sent == 0) {
          std::string wrong = content->substr(offset, now);
          wrong[now / 2] = static_cast<char>(wrong[now / 2] ^ 1);
          sink.write(wrong.data(), wrong.size());
        } else {
          sink.write(content->data() + offset, now);
        }
        *sent += now;
        content_bytes_ += now;
        return true;
      });
}

}  // namespace vitalis::tests
