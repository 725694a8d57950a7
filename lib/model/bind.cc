// SPDX-License-Identifier: Apache-2.0
#include "model/bind.h"

#include <algorithm>

namespace vitalis::model {
namespace {

using formats::DType;

DenseType dense_type(DType type) {
  if (type == DType::kF32) return DenseType::kF32;
  if (type == DType::kF16) return DenseType::kF16;
  return type == DType::kQ8_0 ? DenseType::kQ8_0 : DenseType::kBf16;
}

// Of whole blocks.
size_t row_bytes(DType type, size_t cols) {
  const formats::DTypeInfo& stored = formats::info(type);
  return cols / stored.block_elements * stored.block_bytes;
}

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
    weights_.rotary_pairs = table_.rotary_pairs;
    weights_.q_scale = table_.q_scale;
    weights_.k_scale = table_.k_scale;
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
    const auto found = inventory_.tensors.find(name);
    if (found == inventory_.tensors.end()) {
      if (!inventory_.unreadable.contains(name)) {
        problems_.add(Code::kMalformed, folder_, ": tensor ", in_quotes(name),
                      " is missing; expected ", expected(fused));
      }
      return;
    }
    used_.insert(std::move(name));
    if (!fits(found->second, fused)) return;
    const std::byte* data = found->second.data;
    for (const NameRow& row : fused) data = store(row, layer, found->second, data);
  }

  // "BF16 or F32 [64]"
  std::string expected(std::span<const NameRow> fused) const {
    std::string types;
    for (const DType type : stored_types(fused[0], table_)) {
      types += text(types.empty() ? "" : " or ", formats::info(type).name);
    }
    return text(types, ' ', formats::shape_text(stored_shape(fused, table_, config_)));
  }

  bool allows(const NameRow& row, DType type) const {
    const auto types = stored_types(row, table_);
    return std::find(types.begin(), types.end(), type) != types.end();
  }

  bool fits(const FoundTensor& tensor, std::span<const NameRow> fused) {
    const formats::TensorRange& range = tensor.range;
    const formats::DTypeInfo& type = formats::info(range.dtype);
    if (!allows(fused[0], range.dtype) || range.shape != stored_shape(fused, table_, config_)) {
      problems_.add(Code::kMalformed, tensor.file, ": tensor ", in_quotes(range.name), " is ",
                    type.name, ' ', formats::shape_text(range.shape), "; expected ",
                    expected(fused));
      return false;
    }
    if (range.offset % type.alignment != 0) {
      problems_.add(Code::kMalformed, tensor.file, ": tensor ", in_quotes(range.name),
                    " begins at byte ", range.offset, "; expected a multiple of ", type.alignment);
      return false;
    }
    return true;
  }

  // Points the row's slot at `data` and returns where the next fused row begins.
  const std::byte* store(const NameRow& row, size_t layer, const FoundTensor& found,
                         const std::byte* data) {
    const SchemaTensor& tensor = schema(row.id);
    if (const auto* quantized = std::get_if<Mxfp4 Layer::*>(&tensor.slot)) {
      store_part(row, tensor, found, weights_.layers[layer].**quantized);
      return data;
    }
    const auto* shared = std::get_if<Dense Weights::*>(&tensor.slot);
    Dense& slot =
        shared ? weights_.**shared : weights_.layers[layer].*std::get<Dense Layer::*>(tensor.slot);
    const bool vector = tensor.axes[1] == Axis::kNone;
    slot.data = data;
    slot.rows = vector ? 1 : extent(tensor.axes[0], config_);
    slot.cols = extent(tensor.axes[vector ? 0 : 1], config_);
    const DType type = table_.in_q8_0(row.id) ? DType::kQ8_0 : found.range.dtype;
    slot.type = dense_type(type);
    slot.row_stride = found.stride ? found.stride : row_bytes(type, slot.cols);
    return data + slot.rows * slot.row_stride;
  }

  void store_part(const NameRow& row, const SchemaTensor& tensor, const FoundTensor& found,
                  Mxfp4& slot) {
    slot.experts = extent(tensor.axes[0], config_);
    slot.rows = extent(tensor.axes[1], config_);
    slot.cols = extent(tensor.axes[2], config_);
    slot.layout = table_.mxfp4_layout;
    const auto* bytes = reinterpret_cast<const uint8_t*>(found.data);
    const size_t stride = found.stride ? found.stride : found.range.bytes / slot.experts;
    (row.part == Part::kScales ? slot.scales : slot.blocks) = bytes;
    (row.part == Part::kScales ? slot.scales_stride : slot.blocks_stride) = stride;
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

const NameTable* recognize(std::span<const NameTable> tables, const Inventory& inventory) {
  const NameTable* best = nullptr;
  ptrdiff_t most = 0;
  for (const NameTable& table : tables) {
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
