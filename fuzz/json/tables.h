// The tables that rows go to, as the loader keeps them: a schema, the rows of one batch, a contract.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "fuzz/json/input.h"
#include "fuzz/json/model.h"
#include "json/contract.h"
#include "json/flatten.h"
#include "json/schema.h"

namespace sd::fuzz {

using Schemas = std::map<std::string, json::TableSchema>;

class Tables final : public json::RowSink {
 public:
  struct Table {
    json::TableSchema schema;
    json::TableBuilder builder;
    std::unique_ptr<json::ContractCheck> check;
  };

  Tables(const Input& input, Schemas schemas = {}, const json::Contract* contract = nullptr)
      : input_(input), schemas_(std::move(schemas)), contract_(contract) {}

  Result<json::TableBuilder*> table(const std::string& name) override {
    auto& slot = tables_[fold_ascii(name)];
    if (!slot) {
      slot = std::make_unique<Table>();
      const auto known = schemas_.find(fold_ascii(name));
      slot->schema = known != schemas_.end() ? known->second : json::TableSchema(name);
      slot->builder.set_times(input_.times);
      if (contract_ != nullptr)
        slot->check = std::make_unique<json::ContractCheck>(slot->schema, *contract_);
    }
    last_ = slot.get();
    return &slot->builder;
  }
  std::int64_t row_id(const json::TableBuilder& builder) const override {
    return builder.row_id_or(next_id_);
  }
  void commit(json::TableBuilder& builder) override {
    require(&builder == &last_->builder, "a row is committed to the table that was asked for last");
    if (trial_) {
      if (last_->check && last_->check->check(builder)) refused_ = true;
      builder.begin_row();
      return;
    }
    // Takes out what is to be left out. What the trial let pass is not refused any more.
    if (last_->check) (void)last_->check->check(builder);
    builder.commit_row(next_id_++, 1);
    committed_.emplace_back(last_, builder.rows() - 1);
  }

  // Takes a document as the loader does; what it must become goes to `expected`.
  void take(const Document& document) {
    next_id_ = document.id;
    if (by_events()) return take_events(document);
    if (!document.good) return;
    RowTree tree;
    require(read(tree, document.text), "a good row is read into a tree", document.text);
    const json::DocumentFlattener flattener(input_.flatten, "t");
    Model model(input_.flatten, "t");
    auto rows = model.rows(tree, next_id_);
    const auto refused = flattener.check(tree);
    check_limits(refused.has_value(), rows, model);
    if (refused || !rows) return;
    if (contract_ != nullptr) {
      trial_ = true;
      refused_ = false;
      require(flattener.run(tree, next_id_, *this).has_value(), "a trial has no error");
      trial_ = false;
      if (refused_) return;
    }
    require(flattener.run(tree, next_id_, *this).has_value(), "a sink without errors");
    std::ranges::move(*rows, std::back_inserter(expected_));
  }

  const std::map<std::string, std::unique_ptr<Table>>& tables() const { return tables_; }
  const std::vector<ExpectedRow>& expected() const { return expected_; }
  // Where each expected row is: its table, and its number there.
  const std::vector<std::pair<Table*, std::uint32_t>>& committed() const { return committed_; }

 private:
  bool by_events() const {
    return input_.flatten.mode == json::Flatten::kHorizontal && input_.flatten.max_depth == 0 &&
           !input_.whole_tree;
  }

  void check_limits(bool refused, const std::optional<std::vector<ExpectedRow>>& rows,
                    const Model& model) const {
    const json::FlattenOptions& limit = input_.flatten;
    if (!refused) {
      // A product that is not written down has more than 2,000 rows or 60,000 values.
      require(rows.has_value(), "a document that is accepted stays within the limits");
      require(rows->size() <= limit.max_rows || limit.mode == json::Flatten::kNone ||
                  limit.mode == json::Flatten::kHorizontal,
              "a document that is accepted becomes no more rows than it may");
      require(model.cells() <= limit.max_cells, "nor more values");
      require(model.bytes() <= limit.max_bytes, "nor more text");
      return;
    }
    if (limit.mode == json::Flatten::kMultitable)
      require(model.most_rows() > limit.max_rows || model.most_bytes() > limit.max_bytes,
              "a document that fits is accepted");
    else
      require(!rows || rows->size() > limit.max_rows || model.cells() > limit.max_cells ||
                  model.bytes() > limit.max_bytes,
              "a document that fits is accepted");
  }

  void take_events(const Document& document) {
    auto* const builder = *table("t");
    json::HorizontalFlattener flattener(*builder);
    flattener.begin_row();
    json::Parser<json::HorizontalFlattener> parser(flattener);
    (void)parser.parse(document.text, 0, true);
    if (!document.good || (last_->check && last_->check->check(*builder))) {
      flattener.begin_row();
      require(builder->touched().empty(), "a refused row leaves nothing behind");
      return;
    }
    builder->commit_row(next_id_, 1);
    committed_.emplace_back(last_, builder->rows() - 1);
    RowTree tree;
    require(read(tree, document.text), "a good row is read into a tree", document.text);
    auto rows = Model(input_.flatten, "t").rows(tree, next_id_++);
    expected_.push_back(std::move(rows->front()));
  }

  const Input& input_;
  const Schemas schemas_;
  const json::Contract* const contract_;
  std::map<std::string, std::unique_ptr<Table>> tables_;
  Table* last_ = nullptr;
  bool trial_ = false;
  bool refused_ = false;
  std::int64_t next_id_ = 1;
  std::vector<ExpectedRow> expected_;
  std::vector<std::pair<Table*, std::uint32_t>> committed_;
};

}  // namespace sd::fuzz
