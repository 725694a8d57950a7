// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

namespace vitalis::session {
Result<std::shared_ptr<const Model>> Model::open(std::shared_ptr<const engine::Engine> engine,
                                                 const std::string& folder,
                                                 const std::string& cache_folder) {
  VITALIS_ASSIGN(auto checkpoint, model::Checkpoint::open(folder));
  VITALIS_ASSIGN(auto vocabulary,
                 Vocabulary::open(folder, cache_folder, checkpoint.config().vocab));
  return std::shared_ptr<const Model>(
      new Model(std::move(engine), std::move(checkpoint), std::move(vocabulary)));
}

uint64_t Model::parameters() const {
  uint64_t total = 0;
  model::for_each_tensor(checkpoint_.weights(), [&](const auto& tensor, model::Reads) {
    total += model::elements(tensor);
  });
  return total;
}

uint64_t Model::decode_bytes() const {
  uint64_t total = 0;
  const model::Config& c = config();
  model::for_each_tensor(checkpoint_.weights(), [&](const auto& tensor, model::Reads reads) {
    const uint64_t bytes = model::stored_bytes(tensor);
    total += reads == model::Reads::kRow       ? bytes / tensor.rows
             : reads == model::Reads::kExperts ? bytes / c.experts * c.experts_per_token
                                               : bytes;
  });
  return total;
}

}  // namespace vitalis::session
