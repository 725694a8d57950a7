// SPDX-License-Identifier: Apache-2.0
#include "model/bind.h"

#include <algorithm>

namespace vitalis::model {
namespace {

using formats::DType;

class Binder {
 public:
  Binder(const Config& config, const NameTable& table, const Inventory& inventory,
         std::string_view folder, Problems& problems)
      : config_(config),
        table_(table),
        inventory_(inventory),
        folder_(folder),
        problems_(problems) {}

  Weights bind() {
    weights_.layers.resize(config_.layers);
    for (size_t first = 0; first < table_.rows.size();) {
      size_t end = first + 1;
      while (end < table_.rows.size() && table_.rows[end].name == table_.rows[first].name) ++end;
      const auto fused = table_.rows.subspan(first, end - first);
      const size_t times = schema(fused[0].id).per_layer() ? config_.layers : 1;
      for (size_t layer = 0; layer < times; ++layer) bind_stored(fused, layer);
      first = end;
    }
    report_unexpected();
    return std::move(weights_);
  }

 private:
  void bind_stored(std::span<const NameRow> fused, size_t layer) {
    std::string name = expand_name(fused[0].name, layer);
    const DType type = stored_type(fused[0].part);
    const std::vector<uint64_t> shape = stored_shape(fused, config_);
    const auto found = inventory_.tensors.find(name);
    if (found == inventory_.tensors.end()) {
      if (!inventory_.unreadable.contains(name)) {
        problems_.add(Code::kMalformed, folder_, ": tensor ", in_quotes(name),
                      " is missing; expected ", formats::info(type).name, ' ',
                      formats::shape_text(shape));
      }
      return;
    }
    used_.insert(std::move(name));
    if (!fits(found->second, type, shape)) return;
    const std::byte* data = found->second.data;
    for (const NameRow& row : fused) data = store(row, layer, data);
  }

  bool fits(const FoundTensor& tensor, DType type, const std::vector<uint64_t>& shape) {
    const formats::TensorRange& range = tensor.range;
    if (range.dtype != type || range.shape != shape) {
      problems_.add(Code::kMalformed, tensor.file, ": tensor ", in_quotes(range.name), " is ",
                    formats::info(range.dtype).name, ' ', formats::shape_text(range.shape),
                    "; expected ", formats::info(type).name, ' ', formats::shape_text(shape));
      return false;
    }
    if (range.offset % formats::info(type).alignment != 0) {
      problems_.add(Code::kMalformed, tensor.file, ": tensor ", in_quotes(range.name),
                    " begins at byte ", range.offset, "; expected a multiple of ",
                    formats::info(type).alignment);
      return false;
    }
    return true;
  }

  // Points the row's slot at `data` and returns where the next fused row begins.
  const std::byte* store(const NameRow& row, size_t layer, const std::byte* data) {
    const SchemaTensor& tensor = schema(row.id);
    if (const auto* quantized = std::get_if<Mxfp4 Layer::*>(&tensor.slot)) {
      Mxfp4& slot = weights_.layers[layer].**quantized;
      slot.experts = extent(tensor.axes[0], config_);
      slot.rows = extent(tensor.axes[1], config_);
      slot.cols = extent(tensor.axes[2], config_);
      const auto* bytes = reinterpret_cast<const uint8_t*>(data);
      (row.part == Part::kBlocks ? slot.blocks : slot.scales) = bytes;
      return data;
    }
    const auto* shared = std::get_if<Dense Weights::*>(&tensor.slot);
    Dense& slot =
        shared ? weights_.**shared : weights_.layers[layer].*std::get<Dense Layer::*>(tensor.slot);
    const bool vector = tensor.axes[1] == Axis::kNone;
    slot.data = data;
    slot.rows = vector ? 1 : extent(tensor.axes[0], config_);
    slot.cols = extent(tensor.axes[vector ? 0 : 1], config_);
    slot.type = DenseType::kBf16;
    return data + slot.rows * slot.cols * formats::info(DType::kBf16).block_bytes;
  }

  void report_unexpected() {
    for (const auto& [name, tensor] : inventory_.tensors) {
      if (used_.contains(name)) continue;
      problems_.add(Code::kMalformed, tensor.file, ": tensor ", in_quotes(name), ", ",
                    formats::info(tensor.range.dtype).name, ' ',
                    formats::shape_text(tensor.range.shape), ", is not part of this model");
    }
  }

  const Config& config_;
  const NameTable& table_;
  const Inventory& inventory_;
  std::string_view folder_;
  Problems& problems_;
  Weights weights_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace

const NameTable* recognize(const Inventory& inventory) {
  const NameTable* best = nullptr;
  ptrdiff_t most = 0;
  for (const NameTable& table : name_tables()) {
    const ptrdiff_t known =
        std::count_if(table.rows.begin(), table.rows.end(), [&](const NameRow& row) {
          const std::string name = expand_name(row.name, 0);
          return inventory.tensors.contains(name) || inventory.unreadable.contains(name);
        });
    if (known > most) {
      most = known;
      best = &table;
    }
  }
  return best;
}

Weights bind(const Config& config, const NameTable& table, const Inventory& inventory,
             std::string_view folder, Problems& problems) {
  return Binder(config, table, inventory, folder, problems).bind();
}

}  // namespace vitalis::model
