// The queries of this server that wait for their turn or run, by the id that their clients know (X-Query-Id).
//
// Any thread. An entry must not outlive the list.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/ids.h"

namespace sd::api {

class RunningQueries {
  // By destination first: the same id on another one is another query.
  using Key = std::pair<std::string, Id128>;
  struct Query {
    Micros began = 0;                         // steady
    std::atomic<std::uint64_t> engine_id{0};  // engine::Pool::query()'s; 0: it waits
    std::atomic<bool> cancelled{false};
    std::function<void()> on_cancel;
  };

 public:
  // Stands in the list as long as it lives.
  class Entry {
   public:
    Entry() = default;
    Entry(RunningQueries* list, Key key, std::shared_ptr<Query> query)
        : list_(list), key_(std::move(key)), query_(std::move(query)) {}
    ~Entry() {
      if (list_ != nullptr) list_->remove(key_);
    }
    Entry(Entry&& other) noexcept
        : list_(std::exchange(other.list_, nullptr)),
          key_(std::move(other.key_)),
          query_(std::move(other.query_)) {}
    Entry& operator=(Entry&&) = delete;
    explicit operator bool() const { return list_ != nullptr; }

    void set_engine_id(std::uint64_t id) { query_->engine_id = id; }
    bool is_cancelled() const { return query_->cancelled; }

   private:
    RunningQueries* list_ = nullptr;
    Key key_;
    std::shared_ptr<Query> query_;
  };

  // `on_cancel` comes on any thread, at most once, also after the entry's end, and must not block. Empty where a query of
  // this destination has the id already.
  Entry add(const Id128& id, std::string destination_id, std::function<void()> on_cancel);

  struct Info {
    Micros began = 0;
    std::uint64_t engine_id = 0;
  };
  // Of this destination; nullopt where it has none of that id.
  std::optional<Info> find(const Id128& id, const std::string& destination_id) const;
  // The engine's id of what was cancelled (0: it waited); nullopt as above.
  std::optional<std::uint64_t> cancel(const Id128& id, const std::string& destination_id);

 private:
  std::shared_ptr<Query> get(const Id128& id, const std::string& destination_id) const;
  void remove(const Key& key);

  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<Query>> queries_;
};

}  // namespace sd::api
