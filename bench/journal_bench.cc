// Appends a second, and how many share one fdatasync, on a real file system.
//
//   journal_bench DIRECTORY [SECONDS]
//
// Closed loop: `waiters` appends are in flight; each that completes is sent again by its sink. Also
// measured: the cost of a sync into blocks that were written before against a file that grows.
// Not part of the default build; with a release build in build/release:
//   g++ -std=c++23 -O2 -Isrc bench/journal_bench.cc build/release/libsd_journal.a
//       build/release/libsd_base.a -lcrypto -lpthread -o build/release/journal_bench
// Believe ratios, not absolutes.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "journal/log.h"
#include "journal/reader.h"

namespace {

using namespace sd;
using namespace sd::journal;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double user_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

// Sends each append again as soon as it is done.
class Loop final : public AppendSink {
 public:
  Loop(Log& log, std::string_view body, unsigned waiters) : log_(log), appends_(waiters) {
    for (Append& append : appends_) {
      append.body = body;
      append.meta.rows = 1;
      append.meta.receipt = Id128::make();
      append.sink = this;
    }
  }
  void start() {
    running_ = appends_.size();
    for (Append& append : appends_) send(append);
  }
  void stop() {
    stop_ = true;
    while (running_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void completed(Append* first) noexcept override {
    while (first != nullptr) {
      Append* next = first->next;
      if (!first->result) {
        std::fprintf(stderr, "%s\n", first->result.error().message.c_str());
        std::exit(1);
      }
      send(*first);
      first = next;
    }
  }

 private:
  void send(Append& append) {
    if (stop_ || !log_.append(append)) --running_;
  }
  Log& log_;
  std::vector<Append> appends_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> running_{0};
};

void run(const std::string& directory, unsigned waiters, std::size_t size, double seconds) {
  std::filesystem::remove_all(directory);
  SyncPool pool;
  LogOptions options;
  options.retention_us = 0;
  auto log = Log::open(posix_file_system(), pool, system_clock(), directory, options);
  if (!log) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    std::exit(1);
  }
  (*log)->set_durable_listener([&](Position end, std::uint64_t) { (*log)->release(end); });
  const std::string body(size, 'b');
  Loop loop(**log, body, waiters);
  const double cpu = cpu_seconds();
  const double user = user_seconds();
  const Micros start = system_clock().steady_us();
  loop.start();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  loop.stop();
  const double wall = static_cast<double>(system_clock().steady_us() - start) * 1e-6;
  const LogStats stats = (*log)->stats();
  const auto n = static_cast<double>(stats.appends);
  std::printf(
      "%4u waiters  %6zu bytes  %9.0f appends/s  %6.1f an fdatasync  %6.0f syncs/s"
      "  %5.2f us CPU (%4.2f user) an append\n",
      waiters, size, n / wall, n / static_cast<double>(stats.syncs),
      static_cast<double>(stats.syncs) / wall, (cpu_seconds() - cpu) / n * 1e6,
      (user_seconds() - user) / n * 1e6);
  (void)(*log)->close();
}

// Median of a write of 8 KB and its sync, into written blocks or at the end of the file.
double sync_median(const std::string& path, bool filled) {
  std::filesystem::remove(path);
  auto file = posix_file_system().open(path, OpenMode::kCreate).value();
  const std::string zeros(4U << 20, '\0');
  if (filled) (void)file->write_at(0, zeros);
  (void)file->sync_data();
  const std::string data(8192, 'd');
  std::vector<Micros> times;
  for (std::uint64_t at = 0; at < zeros.size(); at += data.size()) {
    const Micros start = system_clock().steady_us();
    if (!file->write_at(at, data) || !file->sync_data()) std::exit(1);
    times.push_back(system_clock().steady_us() - start);
  }
  std::sort(times.begin(), times.end());
  return static_cast<double>(times[times.size() / 2]);
}

void read_back(const std::string& directory) {
  std::filesystem::remove_all(directory);
  SyncPool pool;
  auto log = Log::open(posix_file_system(), pool, system_clock(), directory, {}).value();
  const std::string body(200, 'b');
  {
    Loop loop(*log, body, 1024);
    loop.start();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    loop.stop();
  }
  auto reader = Reader::open(posix_file_system(), directory, log->id(), 0).value();
  const Micros start = system_clock().steady_us();
  std::size_t records = 0;
  while (reader->next(log->durable_end()).value()) ++records;
  const double wall = static_cast<double>(system_clock().steady_us() - start) * 1e-6;
  std::printf("reading back: %.1f M records/s, %.0f MB/s\n",
              static_cast<double>(records) / wall * 1e-6,
              static_cast<double>(log->durable_end()) / wall * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: journal_bench DIRECTORY [SECONDS]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  std::filesystem::create_directories(directory);
  double grows = 0;
  double filled = 0;
  for (int i = 0; i < 3; ++i) {
    grows += sync_median(directory + "/sync", false) / 3;
    filled += sync_median(directory + "/sync", true) / 3;
  }
  std::filesystem::remove(directory + "/sync");
  std::printf("8 KB + fdatasync: growing file %.0f us, written blocks %.0f us (%.2f)\n", grows,
              filled, filled / grows);
  for (const unsigned waiters : {1U, 64U, 256U, 4096U})
    run(directory + "/log", waiters, 200, seconds);
  run(directory + "/log", 64, 100'000, seconds);
  read_back(directory + "/log");
  std::filesystem::remove_all(directory + "/log");
  return 0;
}
