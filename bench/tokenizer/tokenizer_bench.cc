// SPDX-License-Identifier: Apache-2.0
// How fast text becomes tokens: MB/s (10^6 bytes of UTF-8) on the corpora that prepare_corpus.py
// makes and on hostile inputs, in processor time. Each row runs in a process of its own, so that
// "first" is the first pass over text never seen, right after loading; "best" is the best of the
// later passes.
//   tokenizer_bench TOKENIZER_JSON CORPUS_FOLDER [CACHE_FOLDER]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <openssl/sha.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace {

using vitalis::Token;
using vitalis::Tokenizer;

// Time that this thread has run: other programs on the machine take away less of the truth so.
struct Clock {
  static double now() {
    timespec t;
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  }
};
double seconds_since(double begin) {
  return Clock::now() - begin;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Corpus {
  std::string text;
  std::vector<std::string_view> documents;
  std::string sha256;
};

Corpus corpus(const std::string& path) {
  Corpus out{read(path + ".txt"), {}, read(path + ".sha256")};
  const std::string lengths = read(path + ".lengths");
  size_t begin = 0;
  for (size_t i = 0; i + 4 <= lengths.size(); i += 4) {
    uint32_t length;
    std::memcpy(&length, lengths.data() + i, 4);
    out.documents.push_back(std::string_view(out.text).substr(begin, length));
    begin += length;
  }
  return out;
}

std::string sha256(const std::vector<Token>& ids) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(ids.data()), ids.size() * sizeof(Token), digest);
  std::string out;
  for (const unsigned char byte : digest) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", byte);
    out += hex;
  }
  return out;
}

long resident_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

struct Setup {
  std::string json, corpora, cache;

  Tokenizer open(bool compiled = false) const {
    auto tokenizer = compiled ? Tokenizer::open(json, cache) : Tokenizer::open(json);
    if (!tokenizer.ok()) {
      std::fprintf(stderr, "%s\n", tokenizer.status().message().c_str());
      std::exit(1);
    }
    return tokenizer.take();
  }
};

void in_child(const std::function<void()>& work) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

void throughput(const Tokenizer& tokenizer, const char* name, const Corpus& c, int passes) {
  std::vector<Token> ids, all;
  double first = 0, best = 1e9;
  for (int pass = 0; pass < passes; ++pass) {
    const auto begin = Clock::now();
    for (const auto document : c.documents) {
      ids.clear();
      tokenizer.encode(document, ids);
    }
    const double seconds = seconds_since(begin);
    if (pass == 0) first = seconds;
    if (seconds < best) best = seconds;
  }
  for (const auto document : c.documents) tokenizer.encode(document, all);
  const double mb = static_cast<double>(c.text.size()) / 1e6;
  const char* verdict = c.sha256.empty()          ? ""
                        : sha256(all) == c.sha256 ? "ids equal"
                                                  : "IDS DIFFER";
  std::printf("%-20s %8.2f MB %9zu ids  first %7.1f  best %7.1f MB/s  %s\n", name, mb, all.size(),
              mb / first, mb / best, verdict);
}

// To the first token encoded.
void load(const Setup& setup, const char* name, bool compiled) {
  in_child([&] {
    double best = 1e9, first = 0;
    for (int i = 0; i < 15; ++i) {
      const auto begin = Clock::now();
      const Tokenizer tokenizer = setup.open(compiled);
      std::vector<Token> ids;
      tokenizer.encode("Hello", ids);
      const double seconds = seconds_since(begin);
      if (i == 0) first = seconds;
      best = std::min(best, seconds);
    }
    std::printf("%-20s first %6.2f ms  best %6.2f ms", name, first * 1e3, best * 1e3);
  });
  in_child([&] {
    const long before = resident_kib();
    const Tokenizer tokenizer = setup.open(compiled);
    std::printf("  resident %.1f MB\n", static_cast<double>(resident_kib() - before) / 1024);
  });
}

Corpus repeated(std::string_view unit) {
  Corpus out;
  while (out.text.size() + unit.size() <= 1'000'000) out.text += unit;
  out.documents = {out.text};
  return out;
}

Corpus random_text(int kind) {
  Corpus out;
  uint64_t x = 1;
  while (out.text.size() < 1'000'000) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const auto draw = static_cast<unsigned>(x >> 40);
    out.text += static_cast<char>(kind == 0 ? 'a' + draw % 26 : draw % 256);
  }
  out.documents = {out.text};
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s TOKENIZER_JSON CORPUS_FOLDER [CACHE_FOLDER]\n", argv[0]);
    return 1;
  }
  const Setup setup{argv[1], argv[2], argc > 3 ? argv[3] : ""};
  load(setup, "tokenizer.json", false);
  if (!setup.cache.empty()) {
    load(setup, "compiled, made", true);
    load(setup, "compiled", true);
  }
  std::puts("each in a fresh process:");
  for (const char* name :
       {"english", "multilingual-html", "multilingual-cldr", "multilingual", "code", "short"}) {
    const Corpus c = corpus(setup.corpora + "/" + name);
    in_child([&] { throughput(setup.open(), name, c, 15); });
  }
  // How the published figures of others were taken: words of one text are known in the next.
  std::puts("one after another in one process:");
  in_child([&] {
    const Tokenizer tokenizer = setup.open();
    for (const char* name : {"english", "multilingual", "code", "short"}) {
      throughput(tokenizer, name, corpus(setup.corpora + "/" + name), 15);
    }
  });
  std::puts("hostile inputs, each in a fresh process:");
  const std::pair<const char*, Corpus> hostile[] = {
      {"1 MB of a", repeated("a")},           {"1 MB of spaces", repeated(" ")},
      {"1 MB of newlines", repeated("\n")},   {"1 MB of U+4E2D", repeated("\u4E2D")},
      {"1 MB of ^", repeated("^")},           {"1 MB of U+1F642", repeated("\U0001F642")},
      {"1 MB of random a-z", random_text(0)}, {"1 MB of random bytes", random_text(1)},
  };
  for (const auto& [name, c] : hostile) {
    in_child([&] { throughput(setup.open(), name, c, 3); });
  }
  return 0;
}
