// The bytes of a record's body as a growing window: all at once where they stand in the record, else
// read from the blob piece by piece. Belongs to one thread; what stands in the record must outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "journal/reader.h"

namespace sd::load {

class BodyWindow {
 public:
  static Result<BodyWindow> open(FileSystem& fs, const std::string& directory,
                                 const journal::RecordMeta& meta, std::string_view inline_body);

  std::string_view view() const { return blob_ ? std::string_view(buffer_).substr(start_) : view_; }
  bool final() const { return final_; }
  void consume(std::size_t n) {
    if (blob_)
      start_ += n;
    else
      view_.remove_prefix(n);
  }

  // Reads as much as stands there already, at least a piece: a row that is cut is looked at again only
  // when there is twice as much of it.
  Result<> more();

 private:
  std::string_view view_;
  std::unique_ptr<journal::BlobReader> blob_;
  std::string buffer_;
  std::size_t start_ = 0;
  bool final_ = true;
};

}  // namespace sd::load
