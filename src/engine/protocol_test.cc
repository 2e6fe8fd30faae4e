#include "engine/protocol.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace sd::engine {
namespace {

TEST(Protocol, FramesSurviveAnyCutAndCarryDescriptors) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd a(pair[0]), b(pair[1]);
  FrameWriter writer;
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd read_end(pipe[0]);
  const std::string large(300'000, 'x');
  writer.push("{\"type\":\"one\"}");
  writer.push("{\"type\":\"two\",\"fd\":true}", UniqueFd(pipe[1]));
  writer.push("{\"type\":\"" + large + "\"}");
  FrameReader reader;
  std::vector<std::string> types;
  for (int i = 0; i < 10'000 && types.size() < 3; ++i) {
    ASSERT_TRUE(writer.write_to(a.get()));
    ASSERT_TRUE(reader.read_from(b.get()));
    while (true) {
      auto frame = reader.next();
      ASSERT_TRUE(frame) << frame.error().message;
      if (!*frame) break;
      types.emplace_back((*frame)->body.string_or("type", ""));
      if (types.back() == "two") {
        ASSERT_TRUE(static_cast<bool>((*frame)->fd));
        EXPECT_EQ(::write((*frame)->fd.get(), "hi", 2), 2);
      }
    }
  }
  EXPECT_EQ(types, (std::vector<std::string>{"one", "two", large}));
  char text[2];
  EXPECT_EQ(::read(read_end.get(), text, 2), 2);
}

TEST(Protocol, AMessageThatIsTooLargeIsRefusedAndTheNextOneGoesThrough) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd other(pair[1]);
  Channel channel{UniqueFd(pair[0])};
  EXPECT_FALSE(channel.send(std::string(kMaxFrame + 1, ' ')));
  ASSERT_TRUE(channel.send("{\"type\":\"x\"}"));
  FrameReader reader;
  ASSERT_TRUE(reader.read_from(other.get()));
  const auto frame = reader.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->body.string_or("type", ""), "x");
}

TEST(Protocol, StartMessagesAndErrorsRoundTrip) {
  StartMessage m;
  m.destination_id = "id";
  m.settings = {{"token", "se\"cret"}};
  m.log_id = Id128::make();
  m.durable_end = 1ULL << 60;
  m.folder = "/f";
  m.sandbox = false;
  m.require_sandbox = true;
  m.probe = m.read_only = true;
  m.uid = 1000;
  m.gid = 1001;
  m.floor = 1ULL << 59;
  const auto back = StartMessage::from_json(*json::parse_document(m.to_json()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->settings, m.settings);
  EXPECT_EQ(back->log_id, m.log_id);
  EXPECT_EQ(back->durable_end, m.durable_end);
  EXPECT_EQ(back->floor, m.floor);
  EXPECT_EQ(back->folder, m.folder);
  EXPECT_FALSE(back->sandbox);
  EXPECT_TRUE(back->require_sandbox);
  EXPECT_TRUE(back->probe && back->read_only);
  EXPECT_EQ(back->uid, m.uid);
  EXPECT_EQ(back->gid, m.gid);
  json::Writer w;
  w.begin_object();
  write_error(w, "error", invalid("no").with_slug("s").with_status(422).with_member("row", "3"));
  const auto value = json::parse_document(w.end_object().text());
  const Error e = read_error(*value->find("error"));
  EXPECT_EQ(e.effective_status(), 422);
  EXPECT_EQ(e.members.at(0).second, "3");
}

TEST(Protocol, MessagesOfErrorsAreCutBetweenCharacters) {
  for (const std::size_t before : {0, 1, 2}) {
    std::string message(before, 'a');
    for (int i = 0; i < 30'000; ++i) message += "€";
    json::Writer w;
    w.begin_object();
    write_error(w, "error", invalid(message));
    const std::string text(w.end_object().text());
    EXPECT_LT(text.size(), 20'000U);
    const auto value = json::parse_document(text);
    ASSERT_TRUE(value) << value.error().message;
    const Error e = read_error(*value->find("error"));
    EXPECT_TRUE(message.starts_with(e.message.substr(0, e.message.size() - 3)));
    EXPECT_TRUE(e.message.ends_with("€…"));
  }
}

}  // namespace
}  // namespace sd::engine
