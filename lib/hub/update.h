// SPDX-License-Identifier: Apache-2.0
// Keeping a model current: what changed at the hub, what of it to take, and the record of it all.
//
//   check_update (two small requests, none that counts as a download)
//   -> make_plan, a Transfer with switch_revision off: fetched and verified beside the old
//   -> the caller tries it (loads it, a fixed prompt)
//   -> Store::activate: one rename       -> later, Store::rollback
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "hub/hub.h"
#include "hub/manifest.h"
#include "hub/store.h"

namespace vitalis::hub {

enum class Policy { kPinned, kNotify, kConfigOnly, kAuto };
Result<Policy> parse_policy(std::string_view name);  // "pinned", "notify", "config-only", "auto"
std::string_view policy_name(Policy policy);

struct Change {
  enum class Kind { kAdded, kChanged, kRemoved };
  std::string path;
  Kind kind = Kind::kChanged;
  Role role = Role::kOther;
  uint64_t size_before = 0;
  uint64_t size_after = 0;
};

struct UpdateCheck {
  std::string repo;
  std::string revision;
  std::string from;             // commit here
  std::string to;               // commit there; equal: nothing new
  std::vector<Change> changes;  // of the files selected here, by path
  Listing listing;              // at `to`; empty if nothing is new
  std::vector<File> files;      // what to get at `to`: the same selection as is here
  bool pinned = false;          // the store's pin holds `from`
  bool rejected = false;        // `to` was rolled back from
  std::string notice;           // "the weights did not change", … one sentence for people

  bool is_new() const { return from != to; }
  bool touches(Role role) const;
  // Whether anything changed that a model's answers depend on (weights, tokenizer, template,
  // config).
  bool matters() const;
};

// kNotFound if the model is not in the store. A model in a plain folder is checked the same way.
Result<UpdateCheck> check_update(Hub& hub, const Store& store, const std::string& repo,
                                 const std::string& revision = "main");
Result<UpdateCheck> check_update_local_dir(Hub& hub, const std::string& folder);

// The comparison alone.
std::vector<Change> compare(const std::vector<File>& before, const std::vector<File>& after);

enum class Action { kNothing, kTell, kInstall };
// kPinned: nothing. kNotify: tell of what matters. kConfigOnly: install if no weights change, else
// tell. kAuto: install what matters. A pinned model and a rejected commit are never installed.
Action decide(Policy policy, const UpdateCheck& check);

// Refuses to leave the pin: by commit, or by a manifest that the listing must agree with.
struct Pin {
  std::string commit;                // empty: any
  std::optional<Manifest> manifest;  // none: any
};
Status check_pin(const Listing& listing, const Pin& pin);

}  // namespace vitalis::hub
