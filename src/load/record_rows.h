// The good rows of an insert record as they were sent, without flattening: for those who only show them.
//
// Which those are the same code decides as when the record is loaded; what loading refuses later (a
// contract, a constraint) is among them. One thread; the record's payload must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "json/rows.h"
#include "load/body_window.h"
#include "load/record.h"

namespace sd::load {

class RecordRows {
 public:
  static Result<std::unique_ptr<RecordRows>> open(FileSystem& fs, const std::string& directory,
                                                  const journal::RecordMeta& meta,
                                                  const InsertRecord& insert);
  RecordRows(const RecordRows&) = delete;
  RecordRows& operator=(const RecordRows&) = delete;

  struct Row {
    std::uint64_t index = 0;  // in the request, refused rows counted too
    std::string_view text;    // a JSON object; until the next call
  };
  // nullopt at the end.
  Result<std::optional<Row>> next();

 private:
  RecordRows(BodyWindow window, json::Framing framing)
      : window_(std::move(window)), splitter_(handler_, framing) {}

  BodyWindow window_;
  json::NullHandler handler_;
  json::RowSplitter<json::NullHandler> splitter_;
  std::size_t consumed_ = 0;  // of the window, by the last row
  std::uint64_t index_ = 0;
};

}  // namespace sd::load
