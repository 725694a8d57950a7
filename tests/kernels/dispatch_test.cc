// SPDX-License-Identifier: Apache-2.0
// The choice of a table, and what it rests on: the CPU's features and its cores.
#include "kernels/dispatch.h"

#include <gtest/gtest.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include <string>
#include <thread>

#include "cpu/features.h"
#include "cpu/threads.h"

namespace vitalis::kernels {
namespace {

TEST(Dispatch, ChoosesTheFastestOrTheOneNamed) {
  const auto tables = available();
  ASSERT_FALSE(tables.empty());
  EXPECT_STREQ(tables.front()->name, "portable");
  auto fastest = choose("");
  ASSERT_TRUE(fastest.ok());
  EXPECT_EQ(*fastest, tables.back());
  for (const Table* table : tables) {
    auto chosen = choose(table->name);
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(*chosen, table);
  }
}

TEST(Dispatch, RefusesWhatItCannotRun) {
  for (const char* name : {"AVX2", "avx1024", " ", "portable "}) {
    auto chosen = choose(name);
    ASSERT_FALSE(chosen.ok()) << name;
    EXPECT_EQ(chosen.status().code(), Code::kUnsupported);
    EXPECT_NE(chosen.status().message().find(name), std::string::npos);
    EXPECT_NE(chosen.status().message().find("portable"), std::string::npos);
  }
}

// Asked for by name, tiles that the CPU lacks or the system refuses are an error that says which;
// not asked for, they are passed over.
TEST(Dispatch, SaysWhyThereAreNoTiles) {
  const Status granted = cpu::request_tiles();
  auto chosen = choose("amx");
  const auto tables = available();
  EXPECT_EQ(chosen.ok(), std::string_view(tables.back()->name) == "amx");
  if (chosen.ok()) {
    EXPECT_TRUE(granted.ok());
    EXPECT_EQ(*chosen, tables.back());
    return;
  }
  EXPECT_EQ(chosen.status().code(), Code::kUnsupported);
  const std::string& message = chosen.status().message();
  EXPECT_NE(message.find("AMX tiles"), std::string::npos) << message;
  if (!granted.ok()) {
    EXPECT_NE(message.find(granted.message()), std::string::npos) << message;
  }
  EXPECT_NE(message.find("portable"), std::string::npos) << message;
  for (const Table* table : tables) EXPECT_STRNE(table->name, "amx");
}

TEST(Dispatch, TablesHaveEveryEntry) {
  for (const Table* t : available()) {
    EXPECT_TRUE(t->packed_bytes && t->pack && t->matmul) << t->name;
    EXPECT_TRUE(t->rms_norm && t->rope && t->rope_pairs && t->swiglu && t->swiglu_apart &&
                t->widen && t->add_shares && t->top_k);
    EXPECT_TRUE(t->store_kv && t->attend && t->merge && t->finish) << t->name;
  }
}

TEST(Cpu, FeaturesAgreeWithTheCompilersView) {
  const cpu::Features f = cpu::detect();
  EXPECT_TRUE(f.avx2 || !f.avx512);
  EXPECT_TRUE(f.avx512 || !f.amx);
#if defined(__x86_64__)
  EXPECT_EQ(f.avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(f.avx512,
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && f.avx2);
#endif
}

TEST(Cpu, DefaultThreadsFollowTheAffinity) {
  const int all = cpu::default_threads();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, static_cast<int>(std::thread::hardware_concurrency()));
#if defined(__linux__)
  // On a thread of its own, whose affinity ends with it.
  std::thread([] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &allowed)) ++cpu;
    CPU_ZERO(&allowed);
    CPU_SET(cpu, &allowed);
    ASSERT_EQ(sched_setaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_EQ(cpu::default_threads(), 1);
  }).join();
#endif
}

}  // namespace
}  // namespace vitalis::kernels
