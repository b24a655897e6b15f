// The file of --trace: Chrome's trace event format, an array of events (complete ones, "X", and the names of
// processes) that Perfetto and chrome://tracing read.
//
// Every process of a call appends whole lines: the launcher, node in the same process, the launcher again.
// Each hands the open descriptor on to the next by a variable:
//   _TSRUNC_TRACE=FD:BEGIN:EXEC:LEFT
// FD: of the file; -1: node is to open it. Then nanoseconds of CLOCK_MONOTONIC: when the call began, when the
// launcher became node or 0, when node gave the process back or 0.
#pragma once

#include "sys/array.h"
#include "sys/result.h"

namespace tsrunc::launcher {

inline constexpr char kTraceVariable[] = "_TSRUNC_TRACE";

// Whether the words may ask for a trace. Then the time of the call's beginning is noted.
void note_beginning(int argc, const char* const* argv) noexcept;

// The variable's text for node, which opens the file itself. False: nobody asks for a trace.
[[nodiscard]] bool trace_for_node(char* out, size_t size) noexcept;

// Makes the file anew, or empties it. From then on this process records.
[[nodiscard]] sys::Failure open_trace(const char* path, const char* verb);
// Goes on with the file that the variable names. `verb`: nullptr, or text that lives for ever.
void adopt_trace(const char* words) noexcept;
void name_traced_verb(const char* verb) noexcept;
// The file stays as it is; the next process opens it again.
void abandon_trace() noexcept;
// For the program that this process becomes: the variable's text. False: there is no trace.
[[nodiscard]] bool hand_trace_on(char* out, size_t size) noexcept;

// Appends what has ended by now; goes on.
void flush_trace() noexcept;
// Appends the rest, and the call itself. The failure is the first one of all that was written. May be called
// again.
[[nodiscard]] sys::Failure finish_trace() noexcept;

}  // namespace tsrunc::launcher
