// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/load_ranks.h"

#include <charconv>
#include <memory>

#include "base/mapped_file.h"
#include "tokenizer/base64.h"

namespace vitalis::tokenizer {

Result<Vocabulary> load_ranks(const std::string& path,
                              std::span<const VocabularySource::Entry> specials) {
  VITALIS_ASSIGN(const MappedFile file, MappedFile::open(path));
  std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const auto bytes = std::make_unique_for_overwrite<char[]>(rest.size() + 1);
  char* at = bytes.get();
  VocabularySource source;
  source.specials.assign(specials.begin(), specials.end());
  for (size_t line = 1; !rest.empty(); ++line) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    const size_t space = std::min(text.find(' '), text.size());
    const auto size = decode_base64(text.substr(0, space), at);
    Token id = 0;
    const char* end = text.data() + text.size();
    const auto number = std::from_chars(text.data() + std::min(space + 1, text.size()), end, id);
    if (!size || *size == 0 || number.ec != std::errc() || number.ptr != end) {
      return error(Code::kMalformed, path, ": line ", line, " is not base64, a space and a rank");
    }
    source.entries.push_back({id, {at, *size}});
    at += *size;
  }
  Result<Vocabulary> out = Vocabulary::build(source);
  if (!out.ok()) return error(out.status().code(), path, ": ", out.status().message());
  return out;
}

}  // namespace vitalis::tokenizer
