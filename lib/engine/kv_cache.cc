// SPDX-License-Identifier: Apache-2.0
#include "engine/kv_cache.h"

#include <cstring>

namespace vitalis::engine {
namespace {

size_t round_up(size_t n) {
  return (n + kernels::kBlock - 1) / kernels::kBlock * kernels::kBlock;
}

size_t element(kernels::KvType type) {
  return type == kernels::KvType::kBf16 ? 2 : 4;
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
        arena.add_bytes("kv_cache", 2 * capacity * config.kv_width() * element(type));
    layers.push_back({offset, capacity, is_ring});
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

kernels::KvHead KvCache::head(size_t layer, size_t kv_head) const {
  const Layer& at = layers_[layer];
  const size_t matrix = at.capacity * head_dim_ * element(type_);
  std::byte* base = arena_.at<std::byte>(at.offset);
  return {base + kv_head * matrix, base + (kv_heads_ + kv_head) * matrix, at.capacity, type_};
}

bool KvCache::can_truncate(size_t size) const {
  // A ring of `capacity` slots holds positions [written_ - capacity, written_); the next token, at
  // `size`, sees the window before it.
  if (size == 0) return true;
  const size_t oldest = size < window_ ? 0 : size - window_ + 1;
  return std::all_of(layers_.begin(), layers_.end(), [&](const Layer& layer) {
    return !layer.ring || oldest + layer.capacity >= written_;
  });
}

void KvCache::save(Window& window) const {
  window.size = size_;
  window.written = written_;
  window.rings.clear();
  for (const Layer& layer : layers_) {
    if (!layer.ring) continue;
    const std::byte* begin = arena_.at<std::byte>(layer.offset);
    window.rings.insert(window.rings.end(), begin,
                        begin + 2 * layer.capacity * kv_heads_ * head_dim_ * element(type_));
  }
}

void KvCache::restore(const Window& window) {
  const std::byte* from = window.rings.data();
  for (const Layer& layer : layers_) {
    if (!layer.ring) continue;
    const size_t bytes = 2 * layer.capacity * kv_heads_ * head_dim_ * element(type_);
    std::memcpy(arena_.at<std::byte>(layer.offset), from, bytes);
    from += bytes;
  }
  size_ = window.size;
  written_ = window.written;
}

}  // namespace vitalis::engine
