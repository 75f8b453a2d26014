// Half precision of IEEE 754 on the simulated GPU.
#pragma once

#include "short_float.hpp"

using __half = simulated::ShortFloat<simulated::half_of, simulated::of_half>;
using half = __half;
using __half2 = simulated::Pair<__half>;
using half2 = __half2;

SIMULATED_SHORT_FLOAT(__half)

static inline float __half2float(__half value) { return value; }
static inline __half __float2half(float value) { return value; }
static inline unsigned short __half_as_ushort(__half value) { return value.__x; }

static inline __half __ushort_as_half(unsigned short bits) {
    __half value;
    value.__x = bits;
    return value;
}
