// Collectives (NCCL) of processes on one machine, through a file in shared memory.
#include "simulator.hpp"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0 };
enum : int { F32 = 7 };
enum : int { SUM = 0, AVERAGE = 4 };

// Floats that go through a rank's place at a time.
constexpr size_t MOST = 1 << 18;

struct Id {
    char name[128];
};

struct Shared {
    std::atomic<int> arrived;
    std::atomic<int> rounds;
    float places[][MOST];
};

struct Communicator {
    Shared *shared;
    size_t bytes;
    int rank, ranks;

    float *place(int of) const {
        return shared->places[of];
    }

    // Until all ranks are here.
    void meet() const {
        int round = shared->rounds;
        if (++shared->arrived == ranks) {
            shared->arrived = 0;
            shared->rounds++;
            return;
        }
        while (shared->rounds == round) {
            usleep(50);
        }
    }

    // `combine` makes what is received of what all ranks sent.
    template <class Combine>
    void exchange(const float *sent, float *received, size_t count, Combine combine) const {
        for (size_t start = 0; start < count; start += MOST) {
            size_t part = count - start < MOST ? count - start : MOST;
            memcpy(place(rank), sent + start, part * sizeof(float));
            meet();
            for (size_t i = 0; i < part; i++) {
                received[start + i] = combine(i);
            }
            meet();
        }
    }
};

void check_both(const void *sent, const void *received, size_t count, int type) {
    if (type != F32) {
        fail("NCCL: only f32 is simulated, not type %d", type);
    }
    check(sent, count * sizeof(float), "NCCL");
    check(received, count * sizeof(float), "NCCL");
}

}  // namespace

extern "C" {

int ncclGetUniqueId(Id *id) {
    static int made = 0;
    *id = {};
    snprintf(id->name, sizeof id->name, "/simulated-gpu-%d-%d", getpid(), made++);
    return SUCCESS;
}

int ncclCommInitRank(void **made, int ranks, Id id, int rank) {
    size_t bytes = sizeof(Shared) + sizeof(float) * MOST * ranks;
    int file = shm_open(id.name, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, bytes) != 0) {
        fail("NCCL: there is no shared memory");
    }
    void *start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    auto *communicator = new Communicator{static_cast<Shared *>(start), bytes, rank, ranks};
    communicator->meet();
    shm_unlink(id.name);
    *made = communicator;
    return SUCCESS;
}

int ncclCommAbort(void *given) {
    Guard guard(lock);
    finish_all();
    auto *communicator = static_cast<Communicator *>(given);
    munmap(communicator->shared, communicator->bytes);
    delete communicator;
    return SUCCESS;
}

int ncclAllReduce(const float *sent, float *received, size_t count, int type, int operation, void *given, void *stream) {
    Guard guard(lock);
    check_both(sent, received, count, type);
    if (operation != SUM && operation != AVERAGE) {
        fail("NCCL: operation %d is not simulated", operation);
    }
    auto *of = static_cast<Communicator *>(given);
    float share = operation == AVERAGE ? 1.0f / of->ranks : 1.0f;
    ask(stream_of(stream), [=] {
        of->exchange(sent, received, count, [=](size_t i) {
            float sum = 0;
            for (int rank = 0; rank < of->ranks; rank++) {
                sum += of->place(rank)[i];
            }
            return sum * share;
        });
    });
    return SUCCESS;
}

int ncclBroadcast(const float *sent, float *received, size_t count, int type, int root, void *given, void *stream) {
    Guard guard(lock);
    check_both(sent, received, count, type);
    auto *of = static_cast<Communicator *>(given);
    ask(stream_of(stream), [=] { of->exchange(sent, received, count, [=](size_t i) { return of->place(root)[i]; }); });
    return SUCCESS;
}

}  // extern "C"
