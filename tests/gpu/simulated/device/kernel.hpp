// What a kernel's text finds on the simulated GPU: its indices, the functions of CUDA C++ that C++ has not, and how a grid of it
// runs: block after block, the threads of a block one after the other, or in turns where they wait for each other.
#pragma once

#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <ucontext.h>

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

static dim3 gridDim, blockDim, blockIdx, threadIdx;

struct alignas(8) float2 {
    float x, y;
};

struct alignas(16) float4 {
    float x, y, z, w;
};

static inline float2 make_float2(float x, float y) {
    return {x, y};
}

using std::isinf;
using std::isnan;
using std::signbit;

// A function, as a macro would already be gone where kernels are read.
#undef assert
static inline void assert(bool holds) {
    if (!holds) {
        fputs("simulated GPU: an assertion of a kernel does not hold\n", stderr);
        abort();
    }
}

template <class A, class B>
static std::common_type_t<A, B> max(A a, B b) {
    return a > b ? a : b;
}

template <class A, class B>
static std::common_type_t<A, B> min(A a, B b) {
    return a < b ? a : b;
}

static inline float normcdff(float x) {
    return 0.5f * erfcf(-x * 0.70710678f);
}

static inline double normcdf(double x) {
    return 0.5 * erfc(-x * 0.70710678118654752);
}

static inline float rsqrtf(float x) {
    return 1.0f / sqrtf(x);
}

static inline double rsqrt(double x) {
    return 1.0 / sqrt(x);
}

static inline float __fmul_rn(float a, float b) {
    return a * b;
}

static inline float __fadd_rn(float a, float b) {
    return a + b;
}

template <class To, class From>
static To simulated_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

static inline unsigned __float_as_uint(float value) {
    return simulated_bits<unsigned>(value);
}

static inline int __float_as_int(float value) {
    return simulated_bits<int>(value);
}

static inline float __uint_as_float(unsigned value) {
    return simulated_bits<float>(value);
}

static inline float __int_as_float(int value) {
    return simulated_bits<float>(value);
}

static inline long long __double_as_longlong(double value) {
    return simulated_bits<long long>(value);
}

static inline double __longlong_as_double(long long value) {
    return simulated_bits<double>(value);
}

// Threads never run at the same time, so nothing comes between reading and writing.
template <class T, class V>
static T atomicAdd(T *address, V value) {
    T before = *address;
    *address = before + value;
    return before;
}

template <class T, class V>
static T atomicMax(T *address, V value) {
    T before = *address;
    *address = before > T(value) ? before : T(value);
    return before;
}

template <class T, class V>
static T atomicMin(T *address, V value) {
    T before = *address;
    *address = before < T(value) ? before : T(value);
    return before;
}

template <class T, class V>
static T atomicCAS(T *address, V expected, V value) {
    T before = *address;
    if (before == T(expected)) {
        *address = value;
    }
    return before;
}

namespace simulated {

// The threads of a block as coroutines, for kernels that wait for each other.
struct Block {
    static constexpr size_t STACK = 64 << 10;

    struct Thread {
        ucontext_t context;
        std::unique_ptr<char[]> stack{new char[STACK]};
        dim3 index;
        bool is_over;
        // What it gives to the others of its warp.
        char given[16];
    };

    std::vector<Thread> threads;
    ucontext_t scheduler;
    Thread *now = nullptr;
    void (*body)(void *) = nullptr;
    void *argument = nullptr;

    // Lets the others come as far as this.
    void wait() {
        swapcontext(&now->context, &scheduler);
    }

    static void start();

    void run(void (*run_thread)(void *), void *with) {
        body = run_thread;
        argument = with;
        size_t count = size_t{blockDim.x} * blockDim.y * blockDim.z;
        if (threads.size() < count) {
            threads = std::vector<Thread>(count);
        }
        for (size_t i = 0; i < count; i++) {
            Thread &thread = threads[i];
            thread.index = {unsigned(i % blockDim.x), unsigned(i / blockDim.x % blockDim.y), unsigned(i / blockDim.x / blockDim.y)};
            thread.is_over = false;
            getcontext(&thread.context);
            thread.context.uc_stack.ss_sp = thread.stack.get();
            thread.context.uc_stack.ss_size = STACK;
            thread.context.uc_link = &scheduler;
            makecontext(&thread.context, &Block::start, 0);
        }
        for (bool is_any_left = true; is_any_left;) {
            is_any_left = false;
            for (size_t i = 0; i < count; i++) {
                if (!threads[i].is_over) {
                    now = &threads[i];
                    threadIdx = now->index;
                    swapcontext(&scheduler, &now->context);
                    is_any_left = is_any_left || !threads[i].is_over;
                }
            }
        }
    }
};

static Block block;

inline void Block::start() {
    block.body(block.argument);
    block.now->is_over = true;
}

}  // namespace simulated

// That a module has this symbol says that some of its kernels wait, so that their threads have to take turns.
extern "C" inline __attribute__((noinline)) void simulated_wait() {
    simulated::block.wait();
}

namespace simulated {

// What another thread of the warp gives at the same time.
template <class T>
T of_lane(T value, int other) {
    static_assert(sizeof(T) <= sizeof(Block::Thread::given));
    memcpy(block.now->given, &value, sizeof value);
    simulated_wait();
    size_t self = block.now - block.threads.data();
    T received;
    memcpy(&received, block.threads[self / 32 * 32 + other].given, sizeof received);
    simulated_wait();
    return received;
}

struct Parameters {
    unsigned count;
    const unsigned *sizes;
    const bool *are_pointers;
};

template <class... P>
const Parameters *parameters(void (*)(P...)) {
    static const unsigned sizes[] = {sizeof(P)...};
    static const bool are_pointers[] = {std::is_pointer<P>::value...};
    static const Parameters parameters{sizeof...(P), sizes, are_pointers};
    return &parameters;
}

template <class... P, size_t... I>
void call(void (*kernel)(P...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<P *>(arguments[I])...);
}

template <class... P>
void run(void (*kernel)(P...), bool in_turns, const unsigned *grid, const unsigned *of_block, void **arguments) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {of_block[0], of_block[1], of_block[2]};
    auto thread = [&] { call(kernel, arguments, std::index_sequence_for<P...>()); };
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++) {
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++) {
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) {
                if (in_turns) {
                    block.run([](void *of) { (*static_cast<decltype(thread) *>(of))(); }, &thread);
                    continue;
                }
                for (threadIdx.z = 0; threadIdx.z < blockDim.z; threadIdx.z++) {
                    for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++) {
                        for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++) {
                            thread();
                        }
                    }
                }
            }
        }
    }
}

}  // namespace simulated

static inline void __syncthreads() {
    simulated_wait();
}

template <class T>
static T __shfl_xor_sync(unsigned, T value, int mask, int = 32) {
    return simulated::of_lane(value, threadIdx.x % 32 ^ mask);
}
