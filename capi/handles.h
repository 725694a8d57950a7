// SPDX-License-Identifier: Apache-2.0
// What stands behind the opaque handles of vitalis.h.
#pragma once

#include <memory>

#include "boundary.h"
#include "engine/engine.h"
#include "harmony/conversation.h"
#include "harmony/turn_grammar.h"
#include "session/batch.h"
#include "session/model.h"
#include "session/quantize.h"
#include "session/session.h"
#include "session/settings.h"
#include "session/verify.h"
#include "session/vocabulary.h"

struct vitalis_engine : vitalis::capi::Counted {
  std::shared_ptr<const vitalis::engine::Engine> engine;
};

struct vitalis_model : vitalis::capi::Counted {
  std::shared_ptr<const vitalis::session::Model> model;
};

struct vitalis_tokenizer : vitalis::capi::Counted {
  std::shared_ptr<const vitalis::session::Vocabulary> vocabulary;
};

struct vitalis_conversation : vitalis::capi::Counted {
  mutable std::atomic_flag busy;
  std::optional<vitalis::harmony::SystemContent> system =
      vitalis::harmony::default_system_content();
  vitalis::harmony::DeveloperContent developer;
  std::vector<vitalis::harmony::Message> messages;
  vitalis::harmony::Constraint constraint;  // what answers are held to
  std::string response_name;  // under which the instructions show the response schema; empty: not

  vitalis::harmony::Conversation whole() const;
};

struct vitalis_session : vitalis::capi::Counted {
  mutable std::atomic_flag busy;
  std::unique_ptr<vitalis::session::Session> session;
};

struct vitalis_batch : vitalis::capi::Counted {
  mutable std::atomic_flag busy;
  std::unique_ptr<vitalis::session::Batch> batch;
};

struct vitalis_config : vitalis::capi::Counted {
  vitalis_config();
  mutable std::atomic_flag busy;
  vitalis::session::Settings settings;
  struct Words {
    std::string environment;
    std::string expected;
  };
  std::vector<Words> words;  // of each setting, to be borrowed
};

struct vitalis_verification : vitalis::capi::Counted {
  mutable std::atomic_flag busy;
  std::atomic<bool> cancelled = false;
  std::optional<vitalis::session::ModelVerification> verification;
};

struct vitalis_quantization : vitalis::capi::Counted {
  mutable std::atomic_flag busy;
  std::unique_ptr<vitalis::session::Quantization> quantization;
  vitalis::session::Quantization::Progress progress;  // what was told last, to be borrowed
  bool done = false;
};

namespace vitalis::capi {

vitalis_event translate(const session::Event& event);

}  // namespace vitalis::capi
