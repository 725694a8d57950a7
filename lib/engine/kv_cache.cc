// SPDX-License-Identifier: Apache-2.0
#include "engine/kv_cache.h"

#include <cstring>

namespace vitalis::engine {
namespace {

size_t round_up(size_t n) {
  return (n + kernels::kBlock - 1) / kernels::kBlock * kernels::kBlock;
}

size_t element_of(kernels::KvType type) {
  return type == kernels::KvType::kBf16 ? 2 : 4;
}

// The most blocks that the positions before one, which it sees, lie in.
size_t most_window_blocks(size_t window) {
  return round_up(window) / kernels::kBlock + 1;
}

}  // namespace

std::vector<KvCache::Layer> KvCache::plan(const model::Config& config, size_t context, size_t chunk,
                                          kernels::KvType type, size_t& bytes) {
  std::vector<Layer> layers;
  ArenaPlan arena;
  for (uint32_t i = 0; i < config.layers; ++i) {
    const size_t full = round_up(context);
    const size_t ring = round_up(config.sliding_window + chunk);
    const bool is_ring = config.sliding[i] && ring < full;
    const size_t capacity = is_ring ? ring : full;
    const size_t offset =
        arena.add_bytes("kv_cache", 2 * capacity * config.kv_width() * element_of(type));
    layers.push_back({offset, capacity, config.sliding[i], is_ring});
  }
  bytes = arena.bytes();
  return layers;
}

Result<KvCache> KvCache::create(const model::Config& config, size_t context, size_t chunk,
                                kernels::KvType type) {
  KvCache cache;
  size_t total = 0;
  cache.layers_ = plan(config, context, chunk, type, total);
  VITALIS_ASSIGN(cache.arena_, Arena::allocate(total));
  cache.type_ = type;
  cache.context_ = context;
  cache.chunk_ = chunk;
  cache.kv_heads_ = config.kv_heads;
  cache.head_dim_ = config.head_dim;
  cache.window_ = config.sliding_window;
  return cache;
}

size_t KvCache::bytes(const model::Config& config, size_t context, size_t chunk,
                      kernels::KvType type) {
  size_t total = 0;
  plan(config, context, chunk, type, total);
  return total;
}

size_t KvCache::element() const {
  return element_of(type_);
}

size_t KvCache::block_bytes() const {
  return kernels::kBlock * head_dim_ * element();
}

// The keys of all heads in turn, then the values.
std::span<std::byte> KvCache::matrix(const Layer& layer, size_t index) const {
  const size_t bytes = layer.capacity * head_dim_ * element();
  return {arena_.at<std::byte>(layer.offset) + index * bytes, bytes};
}

kernels::KvHead KvCache::head(size_t layer, size_t kv_head) const {
  const Layer& at = layers_[layer];
  return {matrix(at, kv_head).data(), matrix(at, kv_heads_ + kv_head).data(), at.capacity, type_};
}

// The first position that the token at `size` sees.
size_t KvCache::first_seen(size_t size) const {
  return size < window_ ? 0 : size - window_ + 1;
}

bool KvCache::can_truncate(size_t size) const {
  if (size == 0) return true;
  const size_t first = first_seen(size);
  // A ring of `capacity` slots holds positions [written_ - capacity, written_).
  return std::all_of(layers_.begin(), layers_.end(), [&](const Layer& layer) {
    return !layer.sliding ||
           (first >= oldest_ && (!layer.ring || first + layer.capacity >= written_));
  });
}

// body(block's bytes) for the blocks that hold the window at `size`, in all sliding layers.
template <class Body>
void KvCache::each_window_block(size_t size, Body&& body) const {
  const size_t first = first_seen(size) / kernels::kBlock, end = round_up(size) / kernels::kBlock;
  for (const Layer& layer : layers_) {
    if (!layer.sliding) continue;
    const size_t blocks = layer.capacity / kernels::kBlock;
    for (size_t i = 0; i < 2 * kv_heads_; ++i) {
      for (size_t block = first; block < end; ++block) {
        body(matrix(layer, i).subspan(block % blocks * block_bytes(), block_bytes()));
      }
    }
  }
}

size_t KvCache::window_bytes(const model::Config& config, kernels::KvType type) {
  const auto sliding =
      static_cast<size_t>(std::count(config.sliding.begin(), config.sliding.end(), true));
  return sliding * 2 * config.kv_width() * element_of(type) * kernels::kBlock *
         most_window_blocks(config.sliding_window);
}

size_t KvCache::window_bytes(size_t size) const {
  size_t bytes = 0;
  each_window_block(size, [&](std::span<std::byte> block) { bytes += block.size(); });
  return bytes;
}

void KvCache::save(size_t size, Window& window) const {
  window.size = size;
  window.bytes.clear();
  each_window_block(size, [&](std::span<std::byte> block) {
    window.bytes.insert(window.bytes.end(), block.begin(), block.end());
  });
}

void KvCache::restore(const Window& window) {
  const std::byte* from = window.bytes.data();
  each_window_block(window.size, [&](std::span<std::byte> block) {
    std::memcpy(block.data(), from, block.size());
    from += block.size();
  });
  size_ = written_ = window.size;
  oldest_ = first_seen(window.size);
}

std::vector<std::span<std::byte>> KvCache::full(size_t size) {
  std::vector<std::span<std::byte>> pieces;
  for (const Layer& layer : layers_) {
    for (size_t i = 0; !layer.sliding && i < 2 * kv_heads_; ++i) {
      pieces.push_back(matrix(layer, i).first(round_up(size) * head_dim_ * element()));
    }
  }
  return pieces;
}

void KvCache::copy(const KvCache& from) {
  for (const Layer& layer : layers_) {
    const size_t used = layer.ring ? layer.capacity : round_up(from.size_);
    for (size_t i = 0; i < 2 * kv_heads_; ++i) {
      std::memcpy(matrix(layer, i).data(), from.matrix(layer, i).data(),
                  used * head_dim_ * element());
    }
  }
  size_ = from.size_;
  written_ = from.written_;
  oldest_ = from.oldest_;
}

}  // namespace vitalis::engine
