#include "load/record_rows.h"

namespace sd::load {

Result<std::unique_ptr<RecordRows>> RecordRows::open(FileSystem& fs, const std::string& directory,
                                                     const journal::RecordMeta& meta,
                                                     const InsertRecord& insert) {
  TRY_ASSIGN(BodyWindow window, BodyWindow::open(fs, directory, meta, insert.body));
  return std::unique_ptr<RecordRows>(
      new RecordRows(std::move(window), framing_of(insert.head.body)));
}

Result<std::optional<RecordRows::Row>> RecordRows::next() {
  using State = json::RowSplitter<json::NullHandler>::State;
  while (true) {
    window_.consume(std::exchange(consumed_, 0));
    const auto step = splitter_.next(window_.view(), window_.final());
    consumed_ = splitter_.consumed();
    switch (step.state) {
      case State::kRow:
        return Row{.index = index_++, .text = step.text};
      case State::kRefused:
        ++index_;
        break;
      case State::kNeedMore:
        window_.consume(std::exchange(consumed_, 0));
        TRY(window_.more());
        break;
      case State::kEnd:
        return std::optional<Row>();
      case State::kSyntax:
        // The front has accepted these very bytes with this very code.
        return fail(ErrorCode::kCorruption,
                    "a journal record holds a body that was never accepted");
    }
  }
}

}  // namespace sd::load
