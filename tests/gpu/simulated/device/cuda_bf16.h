// bfloat16 on the simulated GPU.
#pragma once

#include "short_float.hpp"

using __nv_bfloat16 = simulated::ShortFloat<simulated::bf16_of, simulated::of_bf16>;
using __nv_bfloat162 = simulated::Pair<__nv_bfloat16>;

SIMULATED_SHORT_FLOAT(__nv_bfloat16)

static inline float __bfloat162float(__nv_bfloat16 value) { return value; }
static inline __nv_bfloat16 __float2bfloat16(float value) { return value; }
static inline __nv_bfloat16 __float2bfloat16_rn(float value) { return value; }
