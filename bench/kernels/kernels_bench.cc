// SPDX-License-Identifier: Apache-2.0
// Every entry of every tier this machine runs, at the shapes of gpt-oss-20b, beside the machine's
// limits measured in the same run: one stream of reads (limit/read) and fused multiply-adds on
// registers (limit/fma; of the avx512bf16 tier, products of pairs, of the amx tier, products of
// tiles). Weights are read from a pool larger than any cache.
//
// Products and attention have two counters more, "of_read" and "of_fma": their shares of the
// limits, measured by the same thread right after them, since a shared machine's limits move.
//
//   kernels_bench --benchmark_filter='avx512/mxfp4' --benchmark_repetitions=5
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstring>
#include <ctime>
#include <immintrin.h>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/table.h"
#include "limits.h"

namespace vitalis::bench {
namespace {

using kernels::Matrix;
using kernels::MatrixType;
using kernels::Round;
using kernels::Table;

struct Stored {
  MatrixType type;
  const char* name;
  size_t block_bytes;  // with its scale
};
constexpr Stored kStored[] = {
    {MatrixType::kMxfp4, "mxfp4", 17},
    {MatrixType::kBf16, "bf16", 64},
    {MatrixType::kMxfp4Ggml, "mxfp4-ggml", 17},
    {MatrixType::kMxfp4Ollama, "mxfp4-ollama", 17},
    {MatrixType::kMxfp4Metal, "mxfp4-metal", 17},
    {MatrixType::kQ8_0, "q8_0", 34},
    {MatrixType::kF16, "f16", 64},
    {MatrixType::kF32, "f32", 128},
};

constexpr size_t kPool = size_t{512} << 20;

const std::vector<uint8_t>& pool() {
  static const std::vector<uint8_t> bytes = [] {
    std::vector<uint8_t> b(kPool);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < kPool; i += 8) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      // Any byte is a code; as a bf16 or a scale it is kept near 1.
      const uint64_t tame = (x & 0x0FFF0FFF0FFF0FFFu) | 0x3000300030003000u;
      std::memcpy(b.data() + i, &tame, 8);
    }
    // Quantizers to Q8_0 write no -128, and tiers may be slow where they meet one.
    std::replace(b.begin(), b.end(), uint8_t{0x80}, uint8_t{0x81});
    return b;
  }();
  return bytes;
}

std::vector<float> values(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(static_cast<int>(i * 7919 % 255) - 127) / 64;
  return x;
}

void rate(benchmark::State& state, double bytes, double flops) {
  const auto per_second = [&](double n) {
    return benchmark::Counter(n * static_cast<double>(state.iterations()),
                              benchmark::Counter::kIsRate);
  };
  if (bytes > 0) state.counters["bytes/s"] = per_second(bytes);
  if (flops > 0) state.counters["flop/s"] = per_second(flops);
}

// So much CPU time of this thread, in seconds, as run() takes.
template <class Run>
double seconds(const Run& run) {
  const auto now = [] {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  };
  const double start = now();
  run();
  return now() - start;
}

// of_read, of_fma: what share of the limits so much work in each of the iterations is, which took
// `took` seconds together.
void shares(benchmark::State& state, const Table* table, double took, double bytes, double flops) {
  constexpr size_t kRead = size_t{128} << 20;  // more than the caches hold
  const auto at = static_cast<size_t>(state.thread_index()) * kRead;
  const double read = seconds([&] {
    benchmark::DoNotOptimize(read_all({pool().data() + at, kRead}, table->name));
  });
  double done = 0;
  const double multiplied = seconds([&] { done = multiply_add(table->name, 100000); });
  const auto share = [&](double n, double limit) {
    return benchmark::Counter(n * static_cast<double>(state.iterations()) / took / limit,
                              benchmark::Counter::kAvgThreads);
  };
  state.counters["of_read"] = share(bytes, static_cast<double>(kRead) / read);
  state.counters["of_fma"] = share(flops, done / multiplied);
}

void limit_read(benchmark::State& state, const Table* table) {
  const size_t share = kPool / static_cast<size_t>(state.threads());
  const std::span<const uint8_t> part{
      pool().data() + share * static_cast<size_t>(state.thread_index()), share};
  for (auto _ : state) benchmark::DoNotOptimize(read_all(part, table->name));
  rate(state, static_cast<double>(share), 0);
}

void limit_fma(benchmark::State& state, const Table* table) {
  double flops = 0;
  for (auto _ : state) flops = multiply_add(table->name, 100000);
  rate(state, 0, flops);
}

// One call an iteration, on the next part of this thread's share of the pool.
void product(benchmark::State& state, const Table* table, const Stored& stored, size_t k,
             size_t rows) {
  const size_t blocks = k / 32, n = rows < 16 ? 2048 : 192;
  const size_t part = n * blocks * stored.block_bytes;
  const size_t share = kPool / static_cast<size_t>(state.threads()) / part;
  const uint8_t* weights = pool().data() + share * part * static_cast<size_t>(state.thread_index());
  const std::vector<float> x = values(rows * k);
  std::vector<uint8_t> packed(table->packed_bytes(rows, k) + 64);
  void* aligned =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(packed.data()) + 63) & ~63ul);
  table->pack(x.data(), k, nullptr, rows, k, Round::kBf16, aligned);
  std::vector<float> out(rows * n);
  size_t at = 0;
  const double took = seconds([&] {
    for (auto _ : state) {
      const uint8_t* w = weights + at * part;
      const Matrix matrix{stored.type, w, w + n * blocks * 16};
      table->matmul(aligned, rows, k, matrix, 0, n, {}, out.data(), n);
      at = (at + 1) % share;
    }
  });
  const double flops = 2.0 * static_cast<double>(rows * n * k);
  rate(state, static_cast<double>(part), flops);
  shares(state, table, took, static_cast<double>(part), flops);
}

void pack(benchmark::State& state, const Table* table, size_t rows) {
  const size_t k = 2880;
  const std::vector<float> x = values(rows * k);
  std::vector<uint8_t> packed(table->packed_bytes(rows, k));
  for (auto _ : state) {
    table->pack(x.data(), k, nullptr, rows, k, Round::kBf16, packed.data());
    benchmark::ClobberMemory();
  }
  rate(state, static_cast<double>(rows * k * sizeof(float)), 0);
}

// `keys` keys of one KV head of a cache much longer than that, for 8 query heads.
void attend(benchmark::State& state, const Table* table, kernels::KvType type) {
  constexpr size_t kHeads = 8, kHeadDim = 64, kCapacity = 1 << 17;
  const size_t element = type == kernels::KvType::kBf16 ? 2 : 4;
  std::vector<uint8_t> k(kCapacity * kHeadDim * element), v(k.size());
  const kernels::KvHead kv{k.data(), v.data(), kCapacity, type};
  const std::vector<float> q = values(kHeads * kHeadDim);
  for (size_t p = 0; p < kCapacity; ++p) {
    table->store_kv(q.data() + p % 7 * kHeadDim, q.data(), kHeadDim, p, kv);
  }
  std::vector<float> max(kHeads), sum(kHeads), out(kHeads * kHeadDim);
  size_t at = 0;
  const double took = seconds([&] {
    for (auto _ : state) {
      table->attend(q.data(), kHeads, kHeadDim, kv, at, at + kernels::kSegment, 0.125f,
                    {max.data(), sum.data(), out.data()});
      at = (at + kernels::kSegment) % kCapacity;
    }
  });
  const auto bytes = static_cast<double>(kernels::kSegment * kHeadDim * 2 * element);
  const double flops = 4.0 * kHeads * kHeadDim * kernels::kSegment;
  rate(state, bytes, flops);
  shares(state, table, took, bytes, flops);
}

void store_kv(benchmark::State& state, const Table* table) {
  constexpr size_t kHeadDim = 64, kCapacity = 4096;
  std::vector<uint8_t> k(kCapacity * kHeadDim * 2), v(k.size());
  const kernels::KvHead kv{k.data(), v.data(), kCapacity, kernels::KvType::kBf16};
  const std::vector<float> x = values(kHeadDim);
  size_t p = 0;
  for (auto _ : state) table->store_kv(x.data(), x.data(), kHeadDim, p++ % kCapacity, kv);
  rate(state, 2.0 * kHeadDim * sizeof(float), 0);
}

void row_entries(const Table* table, const std::string& tier) {
  constexpr size_t kHidden = 2880;
  const auto add = [&](const char* name, double bytes, auto body) {
    benchmark::RegisterBenchmark((tier + "/" + name).c_str(), [=](benchmark::State& state) {
      _mm_setcsr(_mm_getcsr() | 0x8040);
      const std::vector<float> x = values(4 * kHidden);
      const std::vector<uint16_t> narrow(2 * kHidden, 0x3F80);
      std::vector<float> out = values(2 * kHidden);
      for (auto _ : state) {
        body(x.data(), narrow.data(), out.data());
        benchmark::ClobberMemory();
      }
      rate(state, bytes, 0);
    });
  };
  add("rms_norm", kHidden * 4, [=](const float* x, const uint16_t* w, float* out) {
    table->rms_norm(x, {w, kernels::VectorType::kBf16}, kHidden, 1e-5f, out);
  });
  add("rope", 64 * 64 * 4,
      [=](const float* x, const uint16_t*, float* out) { table->rope(out, 64, 64, x, x + 64); });
  add("rope_pairs", 64 * 64 * 4, [=](const float* x, const uint16_t*, float* out) {
    table->rope_pairs(out, 64, 64, x, x + 64);
  });
  add("swiglu", kHidden * 8,
      [=](const float* x, const uint16_t*, float* out) { table->swiglu(x, kHidden, 7.f, out); });
  add("swiglu_apart", kHidden * 8, [=](const float* x, const uint16_t*, float* out) {
    table->swiglu_apart(x, x + kHidden, kHidden, 7.f, out);
  });
  for (const Stored& stored : kStored) {
    if (stored.block_bytes == 17) continue;
    const double bytes = static_cast<double>(kHidden / 32 * stored.block_bytes);
    const std::string name = std::string("widen/") + stored.name;
    add(name.c_str(), bytes, [=](const float*, const uint16_t*, float* out) {
      table->widen(stored.type, pool().data(), kHidden, out);
    });
  }
  add("add_shares", kHidden * 16, [=](const float* x, const uint16_t*, float* out) {
    const float* rows[] = {x, x + kHidden, x + 2 * kHidden, x + 3 * kHidden};
    const float shares[] = {0.4f, 0.3f, 0.2f, 0.1f};
    table->add_shares(rows, shares, 4, kHidden, out);
  });
  add("top_k", 32 * 4, [=](const float* x, const uint16_t*, float* out) {
    uint32_t ids[4];
    table->top_k(x, 32, 4, ids, out);
  });
  add("merge", 8 * 64 * 4, [=](const float* x, const uint16_t*, float* out) {
    float max[16] = {}, sum[16] = {};
    table->merge({max, sum, out}, {max + 8, sum + 8, const_cast<float*>(x)}, 8, 64);
  });
  add("finish", 8 * 64 * 4, [=](const float* x, const uint16_t*, float* out) {
    float one[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    table->finish({one, one, const_cast<float*>(x)}, 8, 64, out);
  });
}

// One thread is timed by the CPU time it gets, so that neighbours on a busy machine cost little;
// two threads by the clock.
template <class Run>
void add_benchmark(const std::string& name, int threads, const Run& run) {
  auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    _mm_setcsr(_mm_getcsr() | 0x8040);
    run(state);
  });
  if (threads > 1) benchmark->Threads(threads)->UseRealTime();
}

void register_tier(const Table* table) {
  const std::string tier = table->name;
  for (const int threads : {1, 2}) {
    add_benchmark("limit/read/" + tier, threads,
                  [=](benchmark::State& s) { limit_read(s, table); });
  }
  add_benchmark("limit/fma/" + tier, 1, [=](benchmark::State& s) { limit_fma(s, table); });
  for (const Stored& stored : kStored) {
    for (const size_t k : {2880, 4096}) {
      for (const size_t rows : {1, 2, 4, 5, 8, 12, 15, 16, 32, 48, 64, 256}) {
        const std::string name =
            tier + "/" + stored.name + "/" + std::to_string(k) + "/rows:" + std::to_string(rows);
        const auto run = [=](benchmark::State& s) { product(s, table, stored, k, rows); };
        add_benchmark(name, 1, run);
        if (rows == 1) add_benchmark(name, 2, run);
      }
    }
  }
  for (const size_t rows : {1, 4, 16, 64, 256}) {
    add_benchmark(tier + "/pack/rows:" + std::to_string(rows), 1,
                  [=](benchmark::State& s) { pack(s, table, rows); });
  }
  add_benchmark(tier + "/attend/bf16", 1,
                [=](benchmark::State& s) { attend(s, table, kernels::KvType::kBf16); });
  add_benchmark(tier + "/attend/f32", 1,
                [=](benchmark::State& s) { attend(s, table, kernels::KvType::kF32); });
  add_benchmark(tier + "/store_kv", 1, [=](benchmark::State& s) { store_kv(s, table); });
  row_entries(table, tier);
}

}  // namespace
}  // namespace vitalis::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (const auto* table : vitalis::kernels::available()) vitalis::bench::register_tier(table);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
