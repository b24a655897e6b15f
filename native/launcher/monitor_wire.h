// What a monitor and its clients say to each other on the socket, both ways: u8 type, u32 length (little
// endian), as many bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tsrunc::launcher {

inline constexpr size_t kFrameHead = 5;
inline constexpr size_t kLargestFrame = 64 << 10;

// From a client.
inline constexpr char kFrameAttach = 'A';  // u8: bits kAttach…; answered by kFrameDone, u8: 1 with a terminal
inline constexpr char kFrameInput = 'I';  // bytes for standard input
inline constexpr char kFrameClose =
    'C';  // of standard input; u8 1: a terminal is told by its end-of-file key
inline constexpr char kFrameResize = 'R';  // u16 rows, u16 columns
inline constexpr char kFrameWait = 'W';    // tell the exit
// From the monitor.
inline constexpr char kFrameOutput = 'O';
inline constexpr char kFrameError = 'E';
inline constexpr char kFrameExit = 'X';   // the line of `exit`
inline constexpr char kFrameFault = 'F';  // a sentence; the connection ends behind it
inline constexpr char kFrameDone = 'K';   // answers attach, close and resize

inline constexpr uint8_t kAttachInput = 1;
inline constexpr uint8_t kAttachOutput = 2;
inline constexpr uint8_t kAttachError = 4;

inline void put_frame_head(char type, size_t size, char (&out)[kFrameHead]) noexcept {
  out[0] = type;
  for (size_t i = 1; i < kFrameHead; ++i, size >>= 8) {
    out[i] = static_cast<char>(size & 0xff);
  }
}

[[nodiscard]] inline size_t frame_size(const char (&head)[kFrameHead]) noexcept {
  size_t size = 0;
  for (size_t i = kFrameHead - 1; i > 0; --i) {
    size = size << 8 | static_cast<unsigned char>(head[i]);
  }
  return size;
}

}  // namespace tsrunc::launcher
