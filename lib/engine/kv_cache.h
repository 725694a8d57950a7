// SPDX-License-Identifier: Apache-2.0
// Keys and values of one sequence, for every layer. Layers with full attention hold the whole
// context; sliding ones hold a ring of the window and one chunk. Belongs to one thread at a time.
//
// What leaves the cache does so in blocks of kernels::kBlock positions, which lie together whatever
// the capacity: so it can go into a cache with another context or chunk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
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

  // True if the sequence can be cut back to `size` positions: the sliding layers still hold the
  // window before it.
  bool can_truncate(size_t size) const;
  void truncate(size_t size) {
    size_ = size;
    if (size == 0) written_ = oldest_ = 0;  // all that will be there is new
  }

  // The sliding layers' keys and values that the token at position `size` sees, so that the
  // sequence can be cut back to there after the rings have moved on.
  struct Window {
    size_t size = 0;
    std::vector<std::byte> bytes;
  };
  // The most bytes that a window takes, and those of the one at `size`.
  static size_t window_bytes(const model::Config& config, kernels::KvType type);
  size_t window_bytes(size_t size) const;
  // Takes a copy of the window at `size`, to which the sequence can be cut back.
  void save(size_t size, Window& window) const;
  // Cuts back to window.size. The full layers must not have been rewritten below it since save().
  void restore(const Window& window);

  // The full layers' memory of the first `size` positions, in pieces; with the window at `size` it
  // is all that there is to the sequence.
  std::vector<std::span<std::byte>> full(size_t size);
  // Makes this a copy of a cache of the same shape.
  void copy(const KvCache& from);

 private:
  KvCache() = default;
  struct Layer {
    size_t offset;    // of the first head's K in the arena
    size_t capacity;  // positions
    bool sliding;
    bool ring;  // sliding, and shorter than the context
  };
  size_t element() const;
  size_t block_bytes() const;  // of one head's keys, or values
  std::span<std::byte> matrix(const Layer& layer, size_t index) const;
  size_t first_seen(size_t size) const;
  template <class Body>
  void each_window_block(size_t size, Body&& body) const;
  static std::vector<Layer> plan(const model::Config& config, size_t context, size_t chunk,
                                 kernels::KvType type, size_t& bytes);

  Arena arena_;
  std::vector<Layer> layers_;
  kernels::KvType type_ = kernels::KvType::kBf16;
  size_t context_ = 0, chunk_ = 0, size_ = 0;
  size_t written_ = 0;  // rings have lost what lies a capacity below this
  size_t oldest_ = 0;   // below it, sliding layers never had anything since restore()
  size_t kv_heads_ = 0, head_dim_ = 0, window_ = 0;
};

}  // namespace vitalis::engine
