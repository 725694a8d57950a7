// SPDX-License-Identifier: Apache-2.0
// The hub's findings as JSON: what the C interface gives, and docs/models.md describes. No token
// and no other secret is ever in it.
#pragma once

#include <string>
#include <vector>

#include "session/hub_client.h"

namespace vitalis::session {

std::string to_json(const hub::Identity& identity, const std::string& endpoint);
std::string to_json(const std::vector<hub::StoredToken>& tokens);
std::string to_json(const hub::DeviceCode& code);
std::string to_json(const Located& located);
std::string to_json(const hub::Listing& listing);
std::string to_json(const hub::Plan& plan);
std::string to_json(const std::vector<hub::StoredModel>& models);
std::string to_json(const hub::Reclaimed& reclaimed);
std::string to_json(const hub::UpdateCheck& check, hub::Action action);
std::string to_json(const std::vector<std::string>& sentences);

}  // namespace vitalis::session
