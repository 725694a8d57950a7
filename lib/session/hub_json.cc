// SPDX-License-Identifier: Apache-2.0
#include "session/hub_json.h"

#include "harmony/json.h"

namespace vitalis::session {

namespace {

using harmony::Json;

class Object {
 public:
  Object& add(const char* name, std::string_view value) {
    json_.set(name, Json::string(std::string(value)));
    return *this;
  }
  Object& number(const char* name, uint64_t value) {
    json_.set(name, Json::integer(static_cast<int64_t>(value)));
    return *this;
  }
  Object& truth(const char* name, bool value) {
    json_.set(name, Json::boolean(value));
    return *this;
  }
  Object& add(const char* name, Json value) {
    json_.set(name, std::move(value));
    return *this;
  }
  Json take() { return std::move(json_); }
  std::string dump() const { return json_.dump(); }

 private:
  Json json_ = Json::object();
};

template <class Range, class Function>
Json array(const Range& range, Function&& function) {
  Json json = Json::array();
  for (const auto& item : range) json.add(function(item));
  return json;
}

Json strings(const std::vector<std::string>& texts) {
  return array(texts, [](const std::string& text) { return Json::string(text); });
}

Json file_json(const hub::File& file) {
  return Object()
      .add("path", file.path)
      .number("size", file.size)
      .add("sha256", file.sha256)
      .add("git_sha1", file.git_sha1)
      .add("role", hub::role_name(hub::role_of(file.path)))
      .take();
}

const char* need_name(hub::Need need) {
  switch (need) {
    case hub::Need::kNothing:
      return "nothing";
    case hub::Need::kVerify:
      return "verify";
    case hub::Need::kCopy:
      return "copy";
    case hub::Need::kResume:
      return "resume";
    case hub::Need::kFetch:
      return "fetch";
  }
  return "";
}

const char* change_name(hub::Change::Kind kind) {
  switch (kind) {
    case hub::Change::Kind::kAdded:
      return "added";
    case hub::Change::Kind::kRemoved:
      return "removed";
    case hub::Change::Kind::kChanged:
      return "changed";
  }
  return "";
}

const char* action_name(hub::Action action) {
  switch (action) {
    case hub::Action::kNothing:
      return "nothing";
    case hub::Action::kTell:
      return "tell";
    case hub::Action::kInstall:
      return "install";
  }
  return "";
}

Json snapshot_json(const hub::Snapshot& snapshot) {
  return Object()
      .add("commit", snapshot.commit)
      .add("folder", snapshot.folder)
      .add("revisions", strings(snapshot.refs))
      .number("bytes", snapshot.bytes)
      .number("files", snapshot.files)
      .truth("complete", snapshot.complete)
      .add("missing", snapshot.missing)
      .number("published", static_cast<uint64_t>(snapshot.published))
      .take();
}

}  // namespace

std::string to_json(const hub::Identity& identity, const std::string& endpoint) {
  return Object()
      .add("name", identity.name)
      .add("full_name", identity.full_name)
      .add("email", identity.email)
      .add("token_name", identity.token_name)
      .add("role", identity.role)
      .add("organisations", strings(identity.organisations))
      .add("endpoint", endpoint)
      .dump();
}

std::string to_json(const std::vector<hub::StoredToken>& tokens) {
  return array(tokens,
               [](const hub::StoredToken& token) {
                 return Object()
                     .add("name", token.name)
                     .add("token", token.token.masked())
                     .truth("active", token.active)
                     .number("expires_at", static_cast<uint64_t>(token.expires_at))
                     .take();
               })
      .dump();
}

std::string to_json(const hub::DeviceCode& code) {
  return Object()
      .add("user_code", code.user_code)
      .add("verification_uri", code.verification_uri)
      .add("verification_uri_complete", code.verification_uri_complete)
      .number("interval", code.interval)
      .number("expires_in", code.expires_in)
      .dump();
}

std::string to_json(const Located& located) {
  return Object()
      .add("folder", located.folder)
      .truth("is_path", located.is_path)
      .add("repo", located.repo)
      .add("revision", located.revision)
      .add("commit", located.commit)
      .truth("complete", located.complete)
      .add("missing", located.missing)
      .dump();
}

std::string to_json(const hub::Listing& listing) {
  return Object()
      .add("repo", listing.repo)
      .add("revision", listing.revision)
      .add("commit", listing.commit)
      .truth("private", listing.is_private)
      .truth("gated", listing.is_gated)
      .add("files", array(listing.files, file_json))
      .dump();
}

std::string to_json(const hub::Plan& plan) {
  return Object()
      .add("repo", plan.repo)
      .add("revision", plan.revision)
      .add("commit", plan.commit)
      .add("folder", plan.folder)
      .number("bytes_total", plan.bytes_total)
      .number("bytes_reused", plan.bytes_reused)
      .number("bytes_to_fetch", plan.bytes_to_fetch)
      .number("bytes_to_write", plan.bytes_to_write)
      .number("bytes_free", plan.space.free)
      .number("files_listed", plan.listing.files.size())
      .add("files", array(plan.files,
                          [](const hub::PlannedFile& planned) {
                            return Object()
                                .add("path", planned.file.path)
                                .number("size", planned.file.size)
                                .add("need", need_name(planned.need))
                                .number("landed", planned.landed)
                                .take();
                          }))
      .dump();
}

std::string to_json(const std::vector<hub::StoredModel>& models) {
  return array(models,
               [](const hub::StoredModel& model) {
                 return Object()
                     .add("repo", model.repo)
                     .add("folder", model.folder)
                     .number("bytes", model.bytes)
                     .number("partial_bytes", model.partial_bytes)
                     .add("pin", model.pin)
                     .add("snapshots", array(model.snapshots, snapshot_json))
                     .take();
               })
      .dump();
}

std::string to_json(const hub::Reclaimed& reclaimed) {
  return Object()
      .number("bytes", reclaimed.bytes)
      .number("files", reclaimed.files)
      .add("paths", strings(reclaimed.what))
      .dump();
}

std::string to_json(const hub::UpdateCheck& check, hub::Action action) {
  return Object()
      .add("repo", check.repo)
      .add("revision", check.revision)
      .add("from", check.from)
      .add("to", check.to)
      .truth("is_new", check.is_new())
      .truth("matters", check.is_new() && check.matters())
      .truth("pinned", check.pinned)
      .truth("rejected", check.rejected)
      .add("action", action_name(action))
      .add("notice", check.notice)
      .add("changes", array(check.changes,
                            [](const hub::Change& change) {
                              return Object()
                                  .add("path", change.path)
                                  .add("kind", change_name(change.kind))
                                  .add("role", hub::role_name(change.role))
                                  .number("size_before", change.size_before)
                                  .number("size_after", change.size_after)
                                  .take();
                            }))
      .dump();
}

std::string to_json(const std::vector<std::string>& sentences) {
  return strings(sentences).dump();
}

}  // namespace vitalis::session
