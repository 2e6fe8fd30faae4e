#include "server/data_lock.h"

#include <thread>

namespace sd::server {

using std::chrono::milliseconds;

Result<std::unique_ptr<File>> lock_data_directory(const std::string& directory,
                                                  milliseconds patience) {
  constexpr milliseconds kAgain{100};
  FileSystem& fs = posix_file_system();
  const auto unusable = [](const Error& error) {
    return fail(invalid("the data directory cannot be used: " + error.message));
  };
  if (auto made = fs.make_directories(directory); !made) return unusable(made.error());
  auto lock = fs.open(directory + "/LOCK", OpenMode::kOpenOrCreate);
  if (!lock) return unusable(lock.error());
  for (milliseconds waited{0};; waited += kAgain) {
    const auto taken = (*lock)->try_lock();
    if (taken) return std::move(*lock);
    if (waited >= patience) {
      return fail(ErrorCode::kUnavailable,
                  "the data directory is in use by another scratchdata server");
    }
    std::this_thread::sleep_for(kAgain);
  }
}

}  // namespace sd::server
