// Who follows the rows of a destination as they are acknowledged.
//
// While somebody does, the journal is read once for all of them, behind its durable end: rows of tables that are
// followed become pieces, of which each table keeps the last. A seat takes them from there at its own pace; one that
// is slower than that, or begins further back, is told so and reads the journal by itself until it has caught up.
// So a slow reader costs no memory, and the journal is not kept from being released for anybody.
//
// Without seats an insert's way costs one load of a counter.
//
// Threading: every function of TailHub from any thread; a Seat belongs to the thread of its executor. Reading runs on
// the pool that sit() was given, one step at a time. A hub lives as long as its seats and its work.
#pragma once

#include <atomic>
#include <boost/asio.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/await.h"
#include "api/tail_piece.h"

namespace sd::api {

class TailHub : public std::enable_shared_from_this<TailHub> {
 public:
  TailHub(FileSystem& fs, std::string directory, Id128 log_id);

  // The log is durable up to there.
  void on_durable(journal::Position end) {
    if (seats_.load() != 0) look(end);
  }
  void look(journal::Position end);

  class Seat;
  // Nothing where `most` are there already. `durable_end`: tells the log's, once the seat is counted.
  std::unique_ptr<Seat> sit(net::thread_pool& pool, const net::any_io_executor& executor,
                            std::string_view table,
                            const std::function<journal::Position()>& durable_end,
                            std::size_t most);
  std::size_t seats() const { return seats_.load(); }
  // Log time of the last record that was looked at for those who keep up.
  Micros time_us() const { return time_us_.load(); }

  FileSystem& fs() const { return fs_; }
  const std::string& directory() const { return directory_; }
  const Id128& log_id() const { return log_id_; }
  const std::string& mark() const { return mark_; }

 private:
  struct Wake;
  struct Table {
    TailCursor from;  // pieces hold everything behind it
    std::deque<std::shared_ptr<const TailPiece>> pieces;
    std::size_t bytes = 0;
    std::vector<std::shared_ptr<Wake>> seats;
  };
  enum class Next : std::uint8_t { kNothing, kMore, kPause };

  void post();
  void run();
  Next step();
  Next deliver(std::map<std::string, std::shared_ptr<TailPiece>> made, TailCursor to);
  Next fail_step(const Error& error);
  bool is_wanted(const std::string& table, journal::Position end);
  void keep(Table& table, std::shared_ptr<const TailPiece> piece);

  FileSystem& fs_;
  const std::string directory_;
  const Id128 log_id_;
  const std::string mark_;

  std::atomic<std::size_t> seats_{0};
  std::atomic<journal::Position> durable_{0};
  std::atomic<Micros> time_us_{0};
  std::atomic<bool> running_{false};

  std::mutex mutex_;
  net::thread_pool* pool_ = nullptr;
  std::map<std::string, Table> tables_;  // that are followed, by folded name
  std::size_t kept_bytes_ = 0;
  journal::Position decided_ = 0;  // of records before it it was decided whether they are wanted
  TailCursor done_;                // everything before it was delivered
  bool failed_ = false;
  std::uint64_t epoch_ = 0;  // rises when the first one sits down

  // Of the step that runs.
  std::unique_ptr<TailSource> source_;
  std::uint64_t source_epoch_ = 0;
  journal::Position looked_to_ = 0;
};

class TailHub::Seat {
 public:
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  enum class Found : std::uint8_t {
    kPiece,    // rows behind the cursor
    kNothing,  // there is none yet; the cursor was moved on
    kBehind,   // these are no longer here, but in the journal
    kFailed,   // the journal cannot be read
  };
  Found take(TailCursor& cursor, std::shared_ptr<const TailPiece>& piece);

  // Until there may be something to take, at most `limit`.
  Task<void> wait(std::chrono::milliseconds limit);

  // Where one begins who wants what comes from now on.
  TailCursor now() const { return {.position = began_, .rows = 0}; }
  TailHub& hub() const { return *hub_; }
  const std::string& table() const { return table_; }  // folded

 private:
  friend class TailHub;
  Seat(std::shared_ptr<TailHub> hub, std::string table, const net::any_io_executor& executor);

  const std::shared_ptr<TailHub> hub_;
  const std::string table_;
  const std::shared_ptr<Wake> wake_;
  journal::Position began_ = 0;
};

}  // namespace sd::api
