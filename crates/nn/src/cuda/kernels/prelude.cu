/* What all kernels stand on.
 *
 * Kernels are written in the part of C that CUDA C++ shares with C, one thread an element, without shared memory: NVRTC
 * compiles them for a GPU, and tests compile the same text with a C compiler and compare it with the CPU's kernels.
 *
 * A kernel's first argument is the number of its threads. Those of `KERNEL` exist once for activations of f32 and once for
 * bfloat16 (`REAL`); they compute in f32. Activations are NHWC, so the channel is the fastest index.
 */
#ifdef __CUDACC__
#define GLOBAL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define THREAD ((int)(blockIdx.x * blockDim.x + threadIdx.x))
/* With both roundings, where the compiler would leave out the first. */
#define PRODUCT_PLUS(a, b, c) __fadd_rn(__fmul_rn(a, b), c)
#else
#include <math.h>
static int host_thread;
#define GLOBAL void
#define DEVICE static inline
#define THREAD host_thread
#define PRODUCT_PLUS(a, b, c) ((a) * (b) + (c))
#endif

/* A kernel for one type alone. */
#define PLAIN(name) GLOBAL name

typedef unsigned short bf16;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned char u8;

DEVICE float bf16_to_float(bf16 value) {
    union { u32 bits; float number; } word;
    word.bits = (u32)value << 16;
    return word.number;
}

/* The nearest one, in a tie the even one, as everywhere. */
DEVICE bf16 float_to_bf16(float value) {
    union { u32 bits; float number; } word;
    word.number = value;
    if (value != value) {
        return (bf16)(word.bits >> 16 | 0x40u);
    }
    return (bf16)((word.bits + 0x7fffu + (word.bits >> 16 & 1u)) >> 16);
}

/* The sizes of a pooling: of images, of what they become, and of the windows and their steps. */
typedef struct {
    int height, width, channels, rows, columns, window_rows, window_columns, stride_down, stride_across, top, left;
} Pooling;

/* The sizes of a convolution. */
typedef struct {
    int height, width, inputs, rows, columns, outputs, kernel_rows, kernel_columns, stride_down, stride_across, top, left,
        dilation_down, dilation_across, groups;
} Convolution;

/* The numbers of the CPU's activations, as `cuda/mod.rs` counts them. */
#define LINEAR 0
#define RELU 1
#define RELU6 2
#define SIGMOID 3

DEVICE float activated(int activation, float x) {
    /* fmaxf would turn a NaN into 0. */
    if (activation == RELU) {
        return x <= 0.0f ? 0.0f : x;
    }
    if (activation == RELU6) {
        return x <= 0.0f ? 0.0f : x >= 6.0f ? 6.0f : x;
    }
    if (activation == SIGMOID) {
        float power = expf(-fabsf(x));
        return (x < 0.0f ? power : 1.0f) / (1.0f + power);
    }
    return x;
}

/* The gradient to an activation's input, from its output. */
DEVICE float through_activation(int activation, float y, float gradient) {
    if (activation == RELU) {
        return y <= 0.0f ? 0.0f : gradient;
    }
    if (activation == RELU6) {
        return y <= 0.0f || y >= 6.0f ? 0.0f : gradient;
    }
    if (activation == SIGMOID) {
        return y * (1.0f - y) * gradient;
    }
    return gradient;
}
