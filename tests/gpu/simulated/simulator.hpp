// What the parts of the simulated GPU share: streams, in which work waits until somebody waits for it, and the device's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

namespace simulated {

// Held during each call, so calls of several threads come one after the other.
extern std::recursive_mutex lock;

// Ends the program where a GPU would do something undefined, such as writing to memory that was given back.
[[noreturn]] __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);

// Counts a call, or a kernel; with `SIMULATED_GPU_COUNTS` the counts are written to standard error at the program's end.
void count(const std::string &what);

// A queue of work. Work that was asked for is `asked - done` operations, the oldest in front.
struct Stream {
    std::deque<std::function<void()>> waiting;
    uint64_t asked = 0;
    uint64_t done = 0;
    bool is_destroyed = false;
};

// A place in a stream; in none before it is recorded.
struct Event {
    Stream *stream = nullptr;
    uint64_t at = 0;
};

// The stream behind a handle. The simulator has none without a name: on a GPU, those wait for each other in ways of their own.
Stream *stream_of(void *handle);

Stream *new_stream();

// Asks for an operation, which runs when the order of operations is (`SIMULATED_GPU_ORDER`), or somebody waits for it.
void ask(Stream *stream, std::function<void()> operation);

// Does the first `count` operations that the stream was ever asked for, as far as they are not done.
void finish(Stream *stream, uint64_t count);
void finish(Stream *stream);
void finish_all();

// Memory of the device, which begins with bytes that make NaNs. `nullptr` where the device has no such amount left.
void *allocate(size_t bytes);
// Says that memory is given back: nothing may be asked of it any more.
void begin_release(void *start);
// Gives memory back: whoever still reads it reads NaNs.
void release(void *start);
size_t bytes_in_use();
size_t bytes_in_all();

// Holds that `bytes` bytes from `start` lie in memory that was not given back.
void check(const void *start, size_t bytes, const char *whose);

// Page-locked memory of the host, out of which copies happen when their turn comes.
void *allocate_pinned(size_t bytes);
bool release_pinned(void *start);
bool is_pinned(const void *start, size_t bytes);

}  // namespace simulated
