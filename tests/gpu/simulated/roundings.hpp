// Numbers of fewer bits, as the libraries read and write them.
#pragma once

#include <cstdint>

namespace simulated {

inline float of_bf16(uint16_t bits) {
    union { uint32_t bits; float value; } word{uint32_t{bits} << 16};
    return word.value;
}

inline uint16_t to_bf16(float value) {
    union { float value; uint32_t bits; } word{value};
    if (value != value) {
        return word.bits >> 16 | 0x40;
    }
    return (word.bits + 0x7fff + (word.bits >> 16 & 1)) >> 16;
}

// With the mantissa of 10 bits that tensor cores see of an f32.
inline float to_tf32(float value) {
    union { float value; uint32_t bits; } word{value};
    if (value - value == 0) {
        word.bits = (word.bits + 0xfff + (word.bits >> 13 & 1)) & ~uint32_t{0x1fff};
    }
    return word.value;
}

}  // namespace simulated
