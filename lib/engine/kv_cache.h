// SPDX-License-Identifier: Apache-2.0
// Keys and values of one sequence, for every layer. Layers with full attention hold the whole
// context; sliding ones hold a ring of the window and one chunk. Belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/arena.h"
#include "base/status.h"
#include "kernels/table.h"
#include "model/config.h"

namespace vitalis::engine {

class KvCache {
 public:
  // `context`: positions it can hold; `chunk`: the most that one step appends.
  static Result<KvCache> create(const model::Config& config, size_t context, size_t chunk,
                                kernels::KvType type);
  static size_t bytes(const model::Config& config, size_t context, size_t chunk,
                      kernels::KvType type);

  size_t context() const { return context_; }
  size_t chunk() const { return chunk_; }
  size_t size() const { return size_; }  // positions held: the next token's position
  kernels::KvHead head(size_t layer, size_t kv_head) const;

  // A step is about to store `count` positions after the last; until advance() they do not count,
  // and what was there stays usable.
  void begin_step(size_t count) { written_ = std::max(written_, size_ + count); }
  void advance(size_t count) { size_ += count; }

  // True if the sequence can be cut back to `size` positions: the rings still hold the window
  // before it.
  bool can_truncate(size_t size) const;
  void truncate(size_t size) {
    size_ = size;
    if (size == 0) written_ = 0;  // all that will be there is new
  }

  // The sliding layers' last window of keys and values, so that the sequence can be cut back to
  // here after the rings have moved on.
  struct Window {
    size_t size = 0;
    size_t written = 0;
    std::vector<std::byte> rings;
  };
  // Takes a copy of the rings; the buffer of `window` is used again.
  void save(Window& window) const;
  // Cuts back to window.size. The full layers must not have been rewritten below it since save().
  void restore(const Window& window);

 private:
  KvCache() = default;
  struct Layer {
    size_t offset;    // of the first head's K in the arena
    size_t capacity;  // positions
    bool ring;
  };
  static std::vector<Layer> plan(const model::Config& config, size_t context, size_t chunk,
                                 kernels::KvType type, size_t& bytes);

  Arena arena_;
  std::vector<Layer> layers_;
  kernels::KvType type_ = kernels::KvType::kBf16;
  size_t context_ = 0, chunk_ = 0, size_ = 0;
  size_t written_ = 0;  // rings have lost what lies a capacity below this
  size_t kv_heads_ = 0, head_dim_ = 0, window_ = 0;
};

}  // namespace vitalis::engine
