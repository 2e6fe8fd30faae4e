// The Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format"):
//
//   schema message, record batches, end of stream (FF FF FF FF 00 00 00 00)
//   a message:    FF FF FF FF, u32 little-endian length of the metadata with its padding, metadata
//                 (FlatBuffers, arrow_ipc.fbs), padding, body
//   a body:       the buffers one behind the other
//
// Metadata and buffers are padded with zeros so that each begins at a multiple of 64 bytes of the stream.
// Nothing is compressed. Which type becomes which: arrow_type.h.
//
// Chunks of 2,048 rows are gathered until a batch has some 1 MiB or 64 Ki rows; the first chunk is a batch of
// its own, so that the first rows do not wait.
#pragma once

#include <cstddef>

namespace sd::query {

inline constexpr std::size_t kArrowAlignment = 64;
inline constexpr std::size_t kArrowBatchBytes = 1U << 20;
inline constexpr std::size_t kArrowBatchRows = 1U << 16;

}  // namespace sd::query
