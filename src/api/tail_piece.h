// Rows of one table as server-sent events, ready to be sent: made once, and shared by all who read along.
//
//   id: 1f0c9a3e-81920-1
//   event: row
//   data: {"received_at":"…","receipt":"…","index":0,"row":{…}}
//
// Immutable once it is shared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/tail_filter.h"
#include "api/tail_source.h"

namespace sd::api {

class TailPiece {
 public:
  // The source's row.
  void add(std::string_view mark, const TailSource& source);

  bool empty() const { return rows_.empty(); }
  std::size_t bytes() const { return text_.size(); }
  // Behind its last row; of none that is empty.
  TailCursor end() const { return rows_.back().after; }
  Micros time_us() const { return time_us_; }  // of its last row

  struct Events {
    std::string_view text;
    std::size_t rows = 0;
  };
  // Those behind the cursor.
  Events after(TailCursor cursor) const;
  // Those that match as well, in `out`.
  Events after(TailCursor cursor, const TailFilter& filter, std::string& out) const;

 private:
  struct Row {
    TailCursor after;
    std::size_t begin, document, document_bytes;  // in the text
  };
  std::size_t first_behind(TailCursor cursor) const;

  std::string text_;
  std::vector<Row> rows_;
  Micros time_us_ = 0;
};

}  // namespace sd::api
