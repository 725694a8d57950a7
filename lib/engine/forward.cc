// SPDX-License-Identifier: Apache-2.0
// Source: the model card and reference code of gpt-oss (OpenAI 2025, arXiv:2508.10925).
#include "engine/forward.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/weights.h"
#include "kernels/math-inl.h"

namespace vitalis::engine {
namespace {

using kernels::Round;
using model::Dense;

// Weight rows that one task computes; a multiple of the rows that kernels take together.
constexpr size_t kTaskRows = 96;
constexpr size_t kMostExpertsPerToken = 16;

size_t ranges(size_t n) {
  return (n + kTaskRows - 1) / kTaskRows;
}

ScratchPlan plan_all(const model::Config& config, size_t rows, size_t row_bytes, ArenaPlan& plan,
                     size_t& row_offset) {
  row_offset = plan.add_bytes("rows", rows * row_bytes);
  return ScratchPlan(config, rows, plan);
}

}  // namespace

void Forward::plan(const model::Config& config, size_t rows, ArenaPlan& plan) {
  size_t row_offset;
  plan_all(config, rows, sizeof(Row), plan, row_offset);
}

Result<Forward> Forward::create(const Engine& engine, const model::Config& config,
                                const model::Weights& weights, size_t rows) {
  if (config.head_dim > kernels::kMostHeadDim) {
    return error(Code::kUnsupported, "head_dim: at most ", kernels::kMostHeadDim,
                 " is supported; found ", config.head_dim);
  }
  if (config.experts_per_token > kMostExpertsPerToken) {
    return error(Code::kUnsupported, "experts_per_token: at most ", kMostExpertsPerToken,
                 " is supported; found ", config.experts_per_token);
  }
  Forward forward(engine, config, weights, rows);
  ArenaPlan plan;
  size_t row_offset;
  const ScratchPlan scratch = plan_all(config, rows, sizeof(Row), plan, row_offset);
  VITALIS_ASSIGN(forward.arena_, Arena::allocate(plan.bytes()));
  forward.s_ = scratch.bind(forward.arena_);
  forward.row_ = forward.arena_.at<Row>(row_offset);
  return forward;
}

Status Forward::check(std::span<const Part> parts) const {
  size_t rows = 0;
  for (const Part& part : parts) {
    rows += part.tokens.size();
    if (part.tokens.empty() || part.tokens.size() > part.cache->chunk() || rows > rows_) {
      return error(Code::kInvalidArgument, "a step takes 1 to ",
                   std::min(rows_, part.cache->chunk()), " tokens; found ", part.tokens.size());
    }
    if (part.tokens.size() > part.cache->context() - part.cache->size()) {
      return error(Code::kContextFull, "the context holds ", part.cache->context(), " tokens; ",
                   part.cache->size(), " are used and ", part.tokens.size(),
                   " more were asked for");
    }
    for (const Token token : part.tokens) {
      if (token >= config_->vocab) {
        return error(Code::kInvalidArgument, "token ", token, " is outside the vocabulary of ",
                     config_->vocab);
      }
    }
  }
  return {};
}

Result<Outcome> Forward::step(std::span<const Part> parts, float* logits,
                              const std::atomic<bool>& cancel, Observer* observer) {
  VITALIS_TRY(check(parts));
  bool done = false;
  engine_->parallel->enter([&] {
    embed(parts);
    if (observer) observer->embed({s_.x, active_ * config_->hidden});
    done = layers(parts, cancel, observer);
    if (done) head(parts, logits);
  });
  if (!done) return Outcome::kCancelled;
  for (const Part& part : parts) part.cache->advance(part.tokens.size());
  return Outcome::kDone;
}

void Forward::embed(std::span<const Part> parts) {
  const size_t hidden = config_->hidden, half = config_->head_dim / 2;
  active_ = 0;
  for (const Part& part : parts) {
    part.cache->begin_step(part.tokens.size());
    for (size_t i = 0; i < part.tokens.size(); ++i, ++active_) {
      row_[active_] = {part.cache, part.cache->size() + i};
      rotary_.at(row_[active_].position, s_.cos + active_ * half, s_.sin + active_ * half);
      const Dense& table = weights_->embed_tokens;
      engine_->kernels->widen(matrix(table).type, table.data + part.tokens[i] * table.row_stride,
                              hidden, s_.x + active_ * hidden);
    }
  }
}

bool Forward::layers(std::span<const Part> parts, const std::atomic<bool>& cancel,
                     Observer* observer) {
  const auto is_set = [](const std::atomic<bool>& flag) {
    return flag.load(std::memory_order_relaxed);
  };
  const auto is_cancelled = [&](const Part& part) { return part.cancel && is_set(*part.cancel); };
  const size_t hidden = config_->hidden, top = config_->experts_per_token;
  for (size_t i = 0; i < weights_->layers.size(); ++i) {
    if (is_set(cancel) || std::any_of(parts.begin(), parts.end(), is_cancelled)) return false;
    attention(i);
    if (observer) observer->attention(i, {s_.projected, active_ * hidden});
    experts(weights_->layers[i]);
    if (!observer) continue;
    observer->experts(i, {s_.experts, active_ * top}, {s_.shares, active_ * top});
    observer->output(i, {s_.x, active_ * hidden});
  }
  return true;
}

// projected = o_proj(attend(rope(q_proj(t)), rope(k_proj(t)), v_proj(t))), t = rms_norm(x)
void Forward::attention(size_t layer) {
  const model::Config& c = *config_;
  const model::Layer& w = weights_->layers[layer];
  const kernels::Table& k = *engine_->kernels;
  const size_t q = c.q_width(), kv = c.kv_width(), width = q + 2 * kv, half = c.head_dim / 2;

  parallel(active_, [&](size_t row) {
    k.rms_norm(s_.x + row * c.hidden, vector(w.input_layernorm), c.hidden, c.rms_norm_eps,
               s_.normed + row * c.hidden);
  });
  pack(s_.normed, c.hidden, active_, c.hidden);

  parallel(ranges(q) + 2 * ranges(kv), [&](size_t task) {
    struct Target {
      const Dense &weight, &bias;
      size_t rows, column;
    };
    const Target targets[] = {
        {w.q_proj, w.q_bias, q, 0}, {w.k_proj, w.k_bias, kv, q}, {w.v_proj, w.v_bias, kv, q + kv}};
    size_t which = 0;
    for (; which < 2 && task >= ranges(targets[which].rows); ++which) {
      task -= ranges(targets[which].rows);
    }
    const Target& t = targets[which];
    const size_t begin = task * kTaskRows, end = std::min(begin + kTaskRows, t.rows);
    project(active_, c.hidden, t.weight, t.bias, begin, end, s_.qkv + t.column + begin, width);
  });

  // Whichever way the pairs were stored, they stand in halves from here on.
  const auto rope = weights_->rotary_pairs == model::RotaryPairs::kAdjacent ? k.rope_pairs : k.rope;
  parallel(active_, [&](size_t row) {
    float* at = s_.qkv + row * width;
    // q and k stand side by side, so that one call turns all their heads.
    rope(at, c.heads + c.kv_heads, c.head_dim, s_.cos + row * half, s_.sin + row * half);
    if (engine_->round() == Round::kBf16) {
      for (size_t i = 0; i < q; ++i) at[i] = kernels::round_to_bf16(at[i]);
    }
    for (size_t h = 0; h < c.kv_heads; ++h) {
      const kernels::KvHead head = row_[row].cache->head(layer, h);
      const float* key = at + q + h * c.head_dim;
      k.store_kv(key, key + kv, c.head_dim, row_[row].position % head.capacity, head);
    }
  });

  if (active_ == 1 && segments(keys_of(layer, 0)) > 1) {
    attend_by_segments(layer, w);
  } else {
    parallel(active_ * c.kv_heads,
             [&](size_t task) { attend(layer, w, task / c.kv_heads, task % c.kv_heads); });
  }

  pack(s_.attention, q, active_, q);
  parallel(ranges(c.hidden), [&](size_t task) {
    const size_t begin = task * kTaskRows, end = std::min<size_t>(begin + kTaskRows, c.hidden);
    project(active_, q, w.o_proj, w.o_bias, begin, end, s_.projected + begin, c.hidden);
  });
}

// The keys that a row sees: all up to its own, or the last `sliding_window` of them.
Forward::Keys Forward::keys_of(size_t layer, size_t row) const {
  const size_t end = row_[row].position + 1, window = config_->sliding_window;
  return {config_->sliding[layer] && end > window ? end - window : 0, end};
}

size_t Forward::segments(const Keys& keys) {
  return (keys.end - 1) / kernels::kSegment - keys.begin / kernels::kSegment + 1;
}

// The query heads that share one KV head, kHeadsPerAttend at most at a time.
template <class Body>
void Forward::each_group(size_t kv_head, Body&& body) const {
  const size_t group = config_->heads / config_->kv_heads;
  for (size_t h = 0; h < group; h += kernels::kHeadsPerAttend) {
    body(kv_head * group + h, std::min(group - h, kernels::kHeadsPerAttend));
  }
}

// Folds keys, which lie in one segment, into the state of some query heads.
void Forward::fold(size_t layer, size_t row, size_t kv_head, size_t head, size_t heads,
                   const Keys& keys, const kernels::AttentionState& state) const {
  const model::Config& c = *config_;
  const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)) /
                                         (weights_->q_scale * weights_->k_scale));
  const float* q = s_.qkv + row * (c.q_width() + 2 * c.kv_width()) + head * c.head_dim;
  engine_->kernels->attend(q, heads, c.head_dim, row_[row].cache->head(layer, kv_head), keys.begin,
                           keys.end, scale, state);
}

// The sink is a logit without a value: it opens the softmax.
void Forward::open(const model::Layer& w, size_t head, size_t heads,
                   const kernels::AttentionState& state) const {
  for (size_t i = 0; i < heads; ++i) {
    state.max[i] = element(vector(w.sinks), head + i);
    state.sum[i] = 1;
  }
  std::fill_n(state.out, heads * config_->head_dim, 0.0f);
}

void Forward::attend(size_t layer, const model::Layer& w, size_t row, size_t kv_head) {
  const size_t head_dim = config_->head_dim;
  const Keys keys = keys_of(layer, row);
  each_group(kv_head, [&](size_t head, size_t heads) {
    float max[kernels::kHeadsPerAttend], sum[kernels::kHeadsPerAttend];
    float out[kernels::kHeadsPerAttend * kernels::kMostHeadDim];
    const kernels::AttentionState state{max, sum, out};
    open(w, head, heads, state);
    for (size_t begin = keys.begin; begin < keys.end;) {
      const size_t end = std::min(keys.end, (begin / kernels::kSegment + 1) * kernels::kSegment);
      fold(layer, row, kv_head, head, heads, {begin, end}, state);
      begin = end;
    }
    engine_->kernels->finish(state, heads, head_dim,
                             s_.attention + row * config_->q_width() + head * head_dim);
  });
}

// The same for a step of one row, where segments too are tasks, so that many threads share a long
// context. Each begins with nothing, which leaves its own numbers, and they are merged in order:
// the bits are those of attend().
void Forward::attend_by_segments(size_t layer, const model::Layer& w) {
  const model::Config& c = *config_;
  const Keys keys = keys_of(layer, 0);
  const size_t first = keys.begin / kernels::kSegment, n = segments(keys);
  const auto state_of = [&](size_t which, size_t head) {
    const size_t at = which * c.heads + head;
    return kernels::AttentionState{s_.segment_max + at, s_.segment_sum + at,
                                   s_.segment_out + at * c.head_dim};
  };
  for (size_t done = 0; done < n; done += kSegmentsAtOnce) {
    const size_t now = std::min(kSegmentsAtOnce, n - done);
    parallel(c.kv_heads * now, [&](size_t task) {
      const size_t segment = first + done + task % now;
      const Keys some = {std::max(keys.begin, segment * kernels::kSegment),
                         std::min(keys.end, (segment + 1) * kernels::kSegment)};
      each_group(task / now, [&](size_t head, size_t heads) {
        const auto state = state_of(task % now, head);
        std::fill_n(state.max, heads, std::numeric_limits<float>::lowest());
        std::fill_n(state.sum, heads, 0.0f);
        std::fill_n(state.out, heads * c.head_dim, 0.0f);
        fold(layer, 0, task / now, head, heads, some, state);
      });
    });
    parallel(c.kv_heads, [&](size_t kv_head) {
      each_group(kv_head, [&](size_t head, size_t heads) {
        const auto all = state_of(kSegmentsAtOnce, head);
        if (done == 0) open(w, head, heads, all);
        for (size_t i = 0; i < now; ++i) {
          engine_->kernels->merge(all, state_of(i, head), heads, c.head_dim);
        }
        if (done + now < n) return;
        engine_->kernels->finish(all, heads, c.head_dim, s_.attention + head * c.head_dim);
      });
    });
  }
}

// x += projected + sum over the chosen experts of share * down(swiglu(gate_up(rms_norm(x))))
void Forward::experts(const model::Layer& w) {
  const model::Config& c = *config_;
  const kernels::Table& k = *engine_->kernels;
  route(w);
  run_experts(w, group_by_expert());
  parallel(active_, [&](size_t row) {
    const float* rows[kMostExpertsPerToken];
    const size_t top = c.experts_per_token;
    for (size_t i = 0; i < top; ++i) {
      rows[i] = s_.activated + size_t{s_.place[row * top + i]} * c.hidden;
    }
    k.add_shares(rows, s_.shares + row * top, top, c.hidden, s_.x + row * c.hidden);
  });
}

// The router reads fp32, not bf16: a rounded input would flip experts at near ties.
void Forward::route(const model::Layer& w) {
  const model::Config& c = *config_;
  const kernels::Table& k = *engine_->kernels;
  const size_t stride = packed_bound(kPanelRows, 1, c.hidden);
  parallel(panel_count(active_), [&](size_t panel) {
    const size_t first = panel * kPanelRows, rows = std::min(kPanelRows, active_ - first);
    const float one = 1;
    for (size_t row = first; row < first + rows; ++row) {
      const float* projected = s_.projected + row * c.hidden;
      float* x = s_.x + row * c.hidden;
      k.add_shares(&projected, &one, 1, c.hidden, x);
      k.rms_norm(x, vector(w.post_attention_layernorm), c.hidden, c.rms_norm_eps,
                 s_.normed + row * c.hidden);
    }
    std::byte* packed = s_.packed_router + panel * stride;
    k.pack(s_.normed + first * c.hidden, c.hidden, nullptr, rows, c.hidden, Round::kNone, packed);
    float* logits = s_.router_logits + first * c.experts;
    k.matmul(packed, rows, c.hidden, matrix(w.router), 0, c.experts, vector(w.router_bias), logits,
             c.experts);
    const size_t top = c.experts_per_token;
    for (size_t row = first; row < first + rows; ++row) {
      k.top_k(s_.router_logits + row * c.experts, c.experts, top, s_.experts + row * top,
              s_.shares + row * top);
    }
  });
}

// Orders the slots by expert, rows ascending, and cuts each expert's rows into panels.
size_t Forward::group_by_expert() {
  const size_t top = config_->experts_per_token, slots = active_ * top;
  const auto& k = *engine_->kernels;
  std::fill_n(s_.next, config_->experts, 0u);
  for (size_t slot = 0; slot < slots; ++slot) ++s_.next[s_.experts[slot]];
  size_t panels = 0, packed = 0, packed_activated = 0;
  uint32_t first = 0;
  for (uint32_t expert = 0; expert < config_->experts; ++expert) {
    const uint32_t end = first + s_.next[expert];
    s_.next[expert] = first;
    while (first < end) {
      const uint32_t rows = std::min<uint32_t>(kPanelRows, end - first);
      s_.panels[panels++] = {expert, first, rows, packed, packed_activated};
      first += rows;
      packed += k.packed_bytes(rows, config_->hidden);
      packed_activated += k.packed_bytes(rows, config_->intermediate);
    }
  }
  for (uint32_t slot = 0; slot < slots; ++slot) {
    const uint32_t at = s_.next[s_.experts[slot]]++;
    s_.order[at] = slot / static_cast<uint32_t>(top);
    s_.place[slot] = at;
  }
  return panels;
}

void Forward::run_experts(const model::Layer& w, size_t panels) {
  const model::Config& c = *config_;
  const kernels::Table& k = *engine_->kernels;

  each_panel(panels, [&](size_t i) {
    const ExpertPanel& p = s_.panels[i];
    k.pack(s_.normed, c.hidden, s_.order + p.first, p.rows, c.hidden, engine_->round(),
           s_.packed + p.packed);
  });

  // Two rows, gate and up, give one activation.
  const size_t up_ranges = ranges(size_t{2} * c.intermediate);
  parallel(panels * up_ranges, [&](size_t task) {
    const size_t begin = task % up_ranges * (kTaskRows / 2);
    const size_t end = std::min<size_t>(begin + kTaskRows / 2, c.intermediate);
    activate(w, s_.panels[task / up_ranges], begin, end);
  });

  each_panel(panels, [&](size_t i) {
    const ExpertPanel& p = s_.panels[i];
    k.pack(s_.activated + p.first * c.intermediate, c.intermediate, nullptr, p.rows, c.intermediate,
           engine_->round(), s_.packed + p.packed_activated);
  });

  const size_t down_ranges = ranges(c.hidden);
  parallel(panels * down_ranges, [&](size_t task) {
    const ExpertPanel& p = s_.panels[task / down_ranges];
    const size_t begin = task % down_ranges * kTaskRows;
    const size_t end = std::min<size_t>(begin + kTaskRows, c.hidden);
    k.matmul(s_.packed + p.packed_activated, p.rows, c.intermediate, matrix(w.down_proj, p.expert),
             begin, end, vector(w.down_bias, p.expert), s_.activated + p.first * c.hidden + begin,
             c.hidden);
  });
}

// activated = swiglu(gate, up) in columns [begin, end). Rows of gate and up alternate in one
// matrix, or are two.
void Forward::activate(const model::Layer& w, const ExpertPanel& p, size_t begin,
                       size_t end) const {
  const model::Config& c = *config_;
  const kernels::Table& k = *engine_->kernels;
  float gate_up[kPanelRows * kTaskRows];
  const auto product = [&](const model::Mxfp4& m, const Dense& bias, size_t from, size_t to,
                           float* out) {
    k.matmul(s_.packed + p.packed, p.rows, c.hidden, matrix(m, p.expert), from, to,
             vector(bias, p.expert), out, kTaskRows);
  };
  const bool apart = w.gate_proj.blocks != nullptr;
  if (apart) {
    product(w.gate_proj, w.gate_bias, begin, end, gate_up);
    product(w.up_proj, w.up_bias, begin, end, gate_up + kTaskRows / 2);
  } else {
    product(w.gate_up_proj, w.gate_up_bias, 2 * begin, 2 * end, gate_up);
  }
  for (size_t r = 0; r < p.rows; ++r) {
    const float* row = gate_up + r * kTaskRows;
    float* out = s_.activated + (p.first + r) * c.intermediate + begin;
    if (apart) {
      k.swiglu_apart(row, row + kTaskRows / 2, end - begin, c.swiglu_limit, out);
    } else {
      k.swiglu(row, end - begin, c.swiglu_limit, out);
    }
  }
}

// logits = lm_head(rms_norm(x)) for the rows that were asked for.
void Forward::head(std::span<const Part> parts, float* logits) {
  const model::Config& c = *config_;
  size_t wanted = 0, row = 0;
  const auto normalize = [&](size_t from) {
    engine_->kernels->rms_norm(s_.x + from * c.hidden, vector(weights_->norm), c.hidden,
                               c.rms_norm_eps, s_.normed + wanted++ * c.hidden);
  };
  for (const Part& part : parts) {
    row += part.tokens.size();
    for (size_t i = part.all_logits ? row - part.tokens.size() : row - 1; i < row; ++i)
      normalize(i);
  }
  pack(s_.normed, c.hidden, wanted, c.hidden);
  const Dense none;
  parallel(ranges(c.vocab), [&](size_t task) {
    const size_t begin = task * kTaskRows, end = std::min<size_t>(begin + kTaskRows, c.vocab);
    project(wanted, c.hidden, weights_->lm_head, none, begin, end, logits + begin, c.vocab);
  });
}

void Forward::pack(const float* source, size_t stride, size_t rows, size_t k) {
  const size_t panel_bytes = engine_->kernels->packed_bytes(kPanelRows, k);
  parallel(panel_count(rows), [&](size_t panel) {
    const size_t first = panel * kPanelRows;
    engine_->kernels->pack(source + first * stride, stride, nullptr,
                           std::min(kPanelRows, rows - first), k, engine_->round(),
                           s_.packed + panel * panel_bytes);
  });
}

void Forward::project(size_t rows, size_t k, const Dense& w, const Dense& bias, size_t begin,
                      size_t end, float* out, size_t out_stride) const {
  const size_t panel_bytes = engine_->kernels->packed_bytes(kPanelRows, k);
  for (size_t panel = 0; panel < panel_count(rows); ++panel) {
    const size_t first = panel * kPanelRows;
    engine_->kernels->matmul(s_.packed + panel * panel_bytes, std::min(kPanelRows, rows - first), k,
                             matrix(w), begin, end, vector(bias), out + first * out_stride,
                             out_stride);
  }
}

}  // namespace vitalis::engine
