// Streams: nothing is done before somebody waits for it, or at a time drawn at random. A copy or a kernel that should have waited
// for another, and does not, then meets memory that is not ready.
#include "simulator.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace simulated {

std::recursive_mutex lock;

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("simulated GPU: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void count(const std::string &what) {
    struct Counts {
        std::map<std::string, uint64_t> of;

        ~Counts() {
            for (const auto &[what, times] : of) {
                fprintf(stderr, "simulated GPU: %10llu %s\n", static_cast<unsigned long long>(times), what.c_str());
            }
        }
    };
    static const bool is_asked = getenv("SIMULATED_GPU_COUNTS");
    static Counts counts;
    if (is_asked) {
        counts.of[what]++;
    }
}

namespace {

enum class Order { Late, AtOnce, Random };

struct Schedule {
    Order order = Order::Late;
    std::mt19937 random;

    Schedule() {
        const char *asked = getenv("SIMULATED_GPU_ORDER");
        if (!asked || !strcmp(asked, "late")) {
            return;
        }
        if (!strcmp(asked, "at-once")) {
            order = Order::AtOnce;
        } else if (!strncmp(asked, "random:", 7)) {
            order = Order::Random;
            random.seed(strtoul(asked + 7, nullptr, 10));
        } else {
            fail("SIMULATED_GPU_ORDER is `late`, `at-once` or `random:SEED`, not `%s`", asked);
        }
    }
};

Schedule &schedule() {
    static Schedule schedule;
    return schedule;
}

// Streams are never taken away: events lead to them.
std::vector<Stream *> &streams() {
    static std::vector<Stream *> streams;
    return streams;
}

}  // namespace

Stream *new_stream() {
    streams().push_back(new Stream);
    return streams().back();
}

Stream *stream_of(void *handle) {
    for (Stream *stream : streams()) {
        if (stream == handle) {
            if (stream->is_destroyed) {
                fail("a stream is used that was destroyed");
            }
            return stream;
        }
    }
    fail("only streams that were made are simulated, not the default ones (got %p)", handle);
}

void ask(Stream *stream, std::function<void()> operation) {
    stream->waiting.push_back(std::move(operation));
    stream->asked++;
    Schedule &of = schedule();
    if (of.order == Order::AtOnce) {
        finish(stream);
    }
    if (of.order == Order::Random) {
        Stream *any = streams()[of.random() % streams().size()];
        uint64_t left = any->asked - any->done;
        finish(any, any->done + of.random() % (left + 1));
    }
}

void finish(Stream *stream, uint64_t count) {
    while (stream->done < count) {
        auto operation = std::move(stream->waiting.front());
        stream->waiting.pop_front();
        stream->done++;
        operation();
    }
}

void finish(Stream *stream) {
    finish(stream, stream->asked);
}

void finish_all() {
    for (Stream *stream : streams()) {
        finish(stream);
    }
}

}  // namespace simulated
