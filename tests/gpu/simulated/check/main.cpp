// The simulator's own test: what it is there to see, it sees. `build` runs it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
int cuStreamCreate(void **stream, unsigned flags);
int cuStreamSynchronize(void *stream);
int cuStreamWaitEvent(void *stream, void *event, unsigned flags);
int cuEventCreate(void **event, unsigned flags);
int cuEventRecord(void *event, void *stream);
int cuMemAllocAsync(void **start, size_t bytes, void *stream);
int cuMemFreeAsync(void *start, void *stream);
int cuMemHostAlloc(void **start, size_t bytes, unsigned flags);
int cuMemcpyHtoDAsync_v2(void *there, const void *here, size_t bytes, void *stream);
int cuMemcpyDtoHAsync_v2(void *here, const void *there, size_t bytes, void *stream);
int cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t bytes, void *stream);
int cuMemsetD8Async(void *start, unsigned char value, size_t bytes, void *stream);
}

namespace {

constexpr size_t BYTES = 1000;

void expect(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "the simulated GPU fails its own test: %s\n", what);
        exit(1);
    }
}

void *stream() {
    void *made;
    cuStreamCreate(&made, 1);
    return made;
}

void *memory(void *of) {
    void *start;
    cuMemAllocAsync(&start, BYTES, of);
    return start;
}

// The first byte of memory, as a stream sees it.
int first_byte(void *start, void *of) {
    unsigned char bytes[BYTES];
    cuMemcpyDtoHAsync_v2(bytes, start, BYTES, of);
    return bytes[0];
}

// Whether `run` ends the program.
template <class Run>
bool ends(Run run) {
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        run();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

void a_copy_that_nobody_waited_for_is_not_there() {
    void *copies = stream(), *computing = stream(), *there = memory(copies), *here, *event;
    cuMemHostAlloc(&here, BYTES, 0);
    memset(here, 7, BYTES);
    cuMemcpyHtoDAsync_v2(there, here, BYTES, copies);
    expect(first_byte(there, computing) == 0xff, "a copy is there although nobody waited for it");
    cuEventCreate(&event, 0);
    cuEventRecord(event, copies);
    // Page-locked memory is read when the copy's turn comes.
    memset(here, 8, BYTES);
    cuStreamWaitEvent(computing, event, 0);
    expect(first_byte(there, computing) == 8, "a copy that was waited for is not there");
}

void memory_that_was_given_back_is_nothing_any_more() {
    void *copies = stream(), *computing = stream(), *there = memory(copies), *to = memory(computing);
    cuMemsetD8Async(there, 7, BYTES, copies);
    cuStreamSynchronize(copies);
    // Asked for before the memory was given back, and done afterwards.
    cuMemcpyDtoDAsync_v2(to, there, BYTES, computing);
    cuMemFreeAsync(there, copies);
    cuStreamSynchronize(copies);
    expect(first_byte(to, computing) == 0xff, "memory that was given back has kept its values");
    expect(ends([&] { cuMemcpyDtoDAsync_v2(to, there, BYTES, computing); }), "memory that was given back can be read");
    expect(ends([&] { cuMemFreeAsync(there, computing); }), "memory can be given back twice");
}

void what_lies_outside_of_an_allocation_is_refused() {
    void *computing = stream(), *there = memory(computing), *other = memory(computing);
    expect(ends([&] { cuMemcpyDtoDAsync_v2(other, static_cast<char *>(there) + 1, BYTES, computing); }), "a copy may be too long");
    // As a kernel would that writes too far.
    auto write_behind = [&] {
        static_cast<char *>(there)[BYTES] = 0;
        cuMemFreeAsync(there, computing);
        cuStreamSynchronize(computing);
    };
    expect(ends(write_behind), "what is written behind an allocation goes unseen");
}

}  // namespace

int main() {
    a_copy_that_nobody_waited_for_is_not_there();
    memory_that_was_given_back_is_nothing_any_more();
    what_lies_outside_of_an_allocation_is_refused();
}
