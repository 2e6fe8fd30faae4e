#include "load/body_window.h"

#include <algorithm>
#include <span>

namespace sd::load {
namespace {

constexpr std::size_t kBlobPiece = 1U << 20;

}  // namespace

Result<BodyWindow> BodyWindow::open(FileSystem& fs, const std::string& directory,
                                    const journal::RecordMeta& meta, std::string_view inline_body) {
  BodyWindow window;
  if (meta.blob) {
    TRY_ASSIGN(window.blob_, journal::BlobReader::open(fs, directory, *meta.blob));
    window.final_ = false;
    TRY(window.more());
  } else {
    window.view_ = inline_body;
  }
  return window;
}

Result<> BodyWindow::more() {
  buffer_.erase(0, start_);
  start_ = 0;
  const std::size_t have = buffer_.size();
  buffer_.resize(have + std::max(have, kBlobPiece));
  TRY_ASSIGN(const std::size_t n, blob_->read(std::span(buffer_).subspan(have)));
  final_ = n < buffer_.size() - have;
  buffer_.resize(have + n);
  return {};
}

}  // namespace sd::load
