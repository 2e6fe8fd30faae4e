#include "query/compression.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace sd::query {
namespace {

// What a client has decoded of the bytes so far.
std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string out(1U << 22, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_SYNC_FLUSH);
  EXPECT_TRUE(code == Z_OK || code == Z_STREAM_END) << code;
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string unzstd(std::string_view bytes) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::string out(1U << 22, '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  EXPECT_EQ(ZSTD_isError(ZSTD_decompressStream(context, &to, &in)), 0U);
  ZSTD_freeDCtx(context);
  out.resize(to.pos);
  return out;
}

std::string decode(Coding coding, std::string_view bytes) {
  return coding == Coding::kGzip ? gunzip(bytes) : unzstd(bytes);
}

TEST(Compression, WhatWasAddedBeforeAFlushCanBeDecodedAtOnce) {
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const auto compressor = *Compressor::make(coding);
    std::string out;
    compressor->add("first rows", true, out);
    EXPECT_EQ(decode(coding, out), "first rows");
    compressor->add(", more", false, out);
    compressor->finish(out);
    EXPECT_EQ(decode(coding, out), "first rows, more");
  }
}

TEST(Compression, LargePiecesOfAnyKindComeBackAndTextIsSmaller) {
  std::string text, noise;
  unsigned state = 7;
  for (int i = 0; i < 300'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
    text += "\"name\": " + std::to_string(i % 100) + (i % 7 == 0 ? "\n" : "");
  }
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    for (const std::string* body : {&text, &noise}) {
      const auto compressor = *Compressor::make(coding);
      std::string out;
      for (std::size_t at = 0; at < body->size(); at += 100'000)
        compressor->add(std::string_view(*body).substr(at, 100'000), at % 200'000 == 0, out);
      compressor->finish(out);
      EXPECT_EQ(decode(coding, out), *body);
      if (body == &text) {
        EXPECT_LT(out.size(), body->size() / 8);
      }
    }
  }
}

TEST(Compression, AnEmptyResultIsAWholeStream) {
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    std::string out;
    (*Compressor::make(coding))->finish(out);
    EXPECT_FALSE(out.empty());
    EXPECT_EQ(decode(coding, out), "");
  }
  EXPECT_EQ(*Compressor::make(Coding::kIdentity), nullptr);
}

TEST(Compression, TheHeaderOfTheClientDecides) {
  EXPECT_EQ(negotiate_coding(""), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("gzip"), Coding::kGzip);
  EXPECT_EQ(negotiate_coding("x-gzip"), Coding::kGzip);
  EXPECT_EQ(negotiate_coding("gzip, deflate, br, zstd"), Coding::kZstd);
  EXPECT_EQ(negotiate_coding("gzip;q=1.0, zstd;q=0.5"), Coding::kGzip);
  EXPECT_EQ(negotiate_coding("GZIP ; q=0.8 , identity;q=0.5"), Coding::kGzip);
  EXPECT_EQ(negotiate_coding("gzip;q=0.2, identity"), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("*"), Coding::kGzip);
  EXPECT_EQ(negotiate_coding("*;q=0"), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("gzip;q=0"), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("gzip;q=0, *"), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("br, deflate"), Coding::kIdentity);
  EXPECT_EQ(negotiate_coding("gzip;q=2, zstd;q=x, ,;,=,"), Coding::kIdentity);
}

TEST(Compression, NamesAreReadBack) {
  for (const Coding coding : {Coding::kIdentity, Coding::kGzip, Coding::kZstd})
    EXPECT_EQ(parse_coding(coding_name(coding)), coding);
  EXPECT_EQ(parse_coding("br"), Coding::kIdentity);
}

TEST(Compression, ACodingIsAcceptedWhereItIsNamedWithAWeight) {
  for (const char* yes : {"br", "gzip, br", "BR;q=0.5", "br ; q=0.001, gzip"})
    EXPECT_TRUE(accepts_coding(yes, "br")) << yes;
  for (const char* no : {"", "*", "brr", "gzip", "br;q=0", "br;q=0.000", "br;q=x"})
    EXPECT_FALSE(accepts_coding(no, "br")) << no;
}

}  // namespace
}  // namespace sd::query
