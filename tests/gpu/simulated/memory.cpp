// The device's memory: the host's, between guards that are looked at when it is given back.
#include "simulator.hpp"

#include <cstdlib>
#include <cstring>
#include <map>

namespace simulated {

namespace {

constexpr size_t GUARD = 256;
constexpr unsigned char GUARD_BYTE = 0xa5;
// Makes NaNs of f32, f64 and bf16, and the greatest of unsigned integers.
constexpr unsigned char UNSET_BYTE = 0xff;
constexpr size_t IN_ALL = size_t{16} << 30;
// Memory that was given back is kept so long as it is no more than this, so that who still reads it reads NaNs.
constexpr size_t MOST_KEPT = size_t{256} << 20;

struct Allocation {
    size_t bytes;
    bool is_given_back;
};

std::map<uintptr_t, Allocation> &allocations() {
    static std::map<uintptr_t, Allocation> allocations;
    return allocations;
}

std::map<uintptr_t, size_t> &pinned() {
    static std::map<uintptr_t, size_t> pinned;
    return pinned;
}

size_t in_use = 0;

unsigned char *begin_of(uintptr_t start) {
    return reinterpret_cast<unsigned char *>(start) - GUARD;
}

void look_at_guards(uintptr_t start, size_t bytes) {
    const unsigned char *before = begin_of(start);
    const unsigned char *behind = reinterpret_cast<const unsigned char *>(start) + bytes;
    for (size_t i = 0; i < GUARD; i++) {
        if (before[i] != GUARD_BYTE || behind[i] != GUARD_BYTE) {
            fail("something was written outside of an allocation of %zu bytes", bytes);
        }
    }
}

void keep_for_a_while(uintptr_t start, size_t bytes) {
    static std::deque<std::pair<uintptr_t, size_t>> kept;
    static size_t kept_bytes = 0;
    kept.emplace_back(start, bytes);
    kept_bytes += bytes;
    while (kept_bytes > MOST_KEPT) {
        auto [oldest, size] = kept.front();
        kept.pop_front();
        kept_bytes -= size;
        free(begin_of(oldest));
    }
}

}  // namespace

void *allocate(size_t bytes) {
    if (bytes > IN_ALL - in_use) {
        return nullptr;
    }
    size_t whole = (bytes + 2 * GUARD + GUARD - 1) / GUARD * GUARD;
    auto *begin = static_cast<unsigned char *>(aligned_alloc(GUARD, whole));
    if (!begin) {
        return nullptr;
    }
    memset(begin, GUARD_BYTE, whole);
    memset(begin + GUARD, UNSET_BYTE, bytes);
    allocations()[reinterpret_cast<uintptr_t>(begin + GUARD)] = {bytes, false};
    in_use += bytes;
    return begin + GUARD;
}

void begin_release(void *start) {
    auto found = allocations().find(reinterpret_cast<uintptr_t>(start));
    if (found == allocations().end() || found->second.is_given_back) {
        fail("memory is given back that is not there");
    }
    found->second.is_given_back = true;
}

void release(void *start) {
    auto found = allocations().find(reinterpret_cast<uintptr_t>(start));
    size_t bytes = found->second.bytes;
    look_at_guards(found->first, bytes);
    memset(start, UNSET_BYTE, bytes);
    keep_for_a_while(found->first, bytes);
    allocations().erase(found);
    in_use -= bytes;
}

size_t bytes_in_use() {
    return in_use;
}

size_t bytes_in_all() {
    return IN_ALL;
}

void check(const void *start, size_t bytes, const char *whose) {
    auto address = reinterpret_cast<uintptr_t>(start);
    auto behind = allocations().upper_bound(address);
    if (behind == allocations().begin()) {
        fail("%s is given an address that is not the device's: %p", whose, start);
    }
    auto [begin, allocation] = *std::prev(behind);
    size_t offset = address - begin;
    if (offset > allocation.bytes || bytes > allocation.bytes - offset) {
        fail("%s is given %zu bytes from byte %zu on of an allocation of %zu", whose, bytes, offset, allocation.bytes);
    }
    if (allocation.is_given_back) {
        fail("%s is given memory that was given back", whose);
    }
}

void *allocate_pinned(size_t bytes) {
    void *start = malloc(bytes);
    memset(start, UNSET_BYTE, bytes);
    pinned()[reinterpret_cast<uintptr_t>(start)] = bytes;
    return start;
}

bool release_pinned(void *start) {
    auto found = pinned().find(reinterpret_cast<uintptr_t>(start));
    if (found == pinned().end()) {
        return false;
    }
    memset(start, UNSET_BYTE, found->second);
    pinned().erase(found);
    free(start);
    return true;
}

bool is_pinned(const void *start, size_t bytes) {
    auto address = reinterpret_cast<uintptr_t>(start);
    auto behind = pinned().upper_bound(address);
    if (behind == pinned().begin()) {
        return false;
    }
    auto [begin, size] = *std::prev(behind);
    return address + bytes <= begin + size;
}

}  // namespace simulated
