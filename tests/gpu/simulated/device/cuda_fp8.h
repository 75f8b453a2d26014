// Floats of 8 bits are not simulated: kernels with them are compiled, and end the program where they run.
#pragma once

#include "cuda_fp16.h"

struct __nv_fp8_e4m3 {
    unsigned char __x;

    __nv_fp8_e4m3() = default;
    explicit __nv_fp8_e4m3(float) {
        fail();
    }

    static void fail() {
        fputs("simulated GPU: floats of 8 bits are not simulated\n", stderr);
        abort();
    }
};

enum __nv_fp8_interpretation_t { __NV_E4M3 };

static inline __half __nv_cvt_fp8_to_halfraw(unsigned char, __nv_fp8_interpretation_t) {
    __nv_fp8_e4m3::fail();
    return 0;
}
