#include "query/geometry_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "query/value_text.h"

namespace sd::query {
namespace {

constexpr int kMaxDepth = 64;

enum Shape : std::uint32_t {
  kPoint = 1,
  kLineString = 2,
  kPolygon = 3,
  kMultiPoint = 4,
  kMultiLineString = 5,
  kMultiPolygon = 6,
  kCollection = 7,
};

std::string_view name_of(std::uint32_t shape) {
  switch (shape) {
    case kPoint:
      return "POINT";
    case kLineString:
      return "LINESTRING";
    case kPolygon:
      return "POLYGON";
    case kMultiPoint:
      return "MULTIPOINT";
    case kMultiLineString:
      return "MULTILINESTRING";
    case kMultiPolygon:
      return "MULTIPOLYGON";
    case kCollection:
      return "GEOMETRYCOLLECTION";
    default:
      return {};
  }
}

class Writer {
 public:
  Writer(TextSink& sink, std::string_view wkb) : sink_(sink), rest_(wkb) {}

  bool run() { return geometry(0, true) && rest_.empty(); }

 private:
  template <typename T>
  bool read(T& value) {
    if (rest_.size() < sizeof value) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }

  void number(double value) {
    char* p = sink_.room(40);
    const bool whole = std::abs(value) < 1e15 && value == std::trunc(value);
    char* const end = whole ? std::to_chars(p, p + 36, static_cast<std::int64_t>(value)).ptr
                            : std::to_chars(p, p + 36, value).ptr;
    sink_.set_cursor(end);
  }

  // A point of all NaN is the empty point. `bare`: inside a MULTIPOINT, without parentheses.
  bool point(unsigned dimensions, bool bare) {
    double values[4];
    bool empty = true;
    for (unsigned i = 0; i < dimensions; ++i) {
      if (!read(values[i])) return false;
      empty = empty && std::isnan(values[i]);
    }
    if (empty) {
      sink_.put("EMPTY");
      return true;
    }
    if (!bare) sink_.put('(');
    for (unsigned i = 0; i < dimensions; ++i) {
      if (i != 0) sink_.put(' ');
      number(values[i]);
    }
    if (!bare) sink_.put(')');
    return true;
  }

  template <typename Item>
  bool list(Item item) {
    std::uint32_t count;
    if (!read(count)) return false;
    if (count == 0) {
      sink_.put("EMPTY");
      return true;
    }
    sink_.put('(');
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i != 0) sink_.put(", ");
      if (!item()) return false;
    }
    sink_.put(')');
    return true;
  }

  bool points(unsigned dimensions) {
    return list([&] { return point(dimensions, true); });
  }

  // `named`: with its keyword; members of MULTI… have none.
  bool geometry(int depth, bool named, std::uint32_t expected = 0) {
    std::uint8_t little_endian;
    std::uint32_t code;
    if (depth > kMaxDepth || !read(little_endian) || little_endian != 1 || !read(code))
      return false;
    const std::uint32_t shape = code % 1000;
    const std::uint32_t extra = code / 1000;
    const std::string_view name = name_of(shape);
    if (name.empty() || extra > 3 || (expected != 0 && shape != expected)) return false;
    const unsigned dimensions = extra == 0 ? 2 : extra == 3 ? 4 : 3;
    if (named) {
      sink_.put(name);
      static constexpr std::string_view kSuffix[] = {" ", " Z ", " M ", " ZM "};
      sink_.put(kSuffix[extra]);
    }
    switch (shape) {
      case kPoint:
        return point(dimensions, !named);
      case kLineString:
        return points(dimensions);
      case kPolygon:
        return list([&] { return points(dimensions); });
      case kCollection:
        return list([&] { return geometry(depth + 1, true); });
      default:
        return list([&] { return geometry(depth + 1, false, shape - 3); });
    }
  }

  TextSink& sink_;
  std::string_view rest_;
};

}  // namespace

bool put_wkt(TextSink& sink, std::string_view wkb) {
  const std::size_t start = sink.size();
  if (Writer(sink, wkb).run()) return true;
  sink.rewind(start);
  return false;
}

}  // namespace sd::query
