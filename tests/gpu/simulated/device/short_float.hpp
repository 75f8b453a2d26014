// Floats of 16 bits, which compute as f32. What CUDA's headers offer for one type and for the other is listed once, below.
#pragma once

namespace simulated {

inline unsigned short bf16_of(float value) {
    unsigned bits = __float_as_uint(value);
    if (value != value) {
        return bits >> 16 | 0x40;
    }
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

inline float of_bf16(unsigned short bits) {
    return __uint_as_float(unsigned{bits} << 16);
}

inline unsigned short half_of(float value) {
    unsigned bits = __float_as_uint(value), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000) {
        return sign | 0x7e00;
    }
    if (rest >= 0x477ff000) {
        return sign | 0x7c00;
    }
    if (rest < 0x38800000) {
        // Below the smallest normal number the step is 2^-24 everywhere, and the default is to round to the nearest even one.
        return sign | unsigned(nearbyintf(__uint_as_float(rest) * 0x1p24f));
    }
    return sign | (rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13;
}

inline float of_half(unsigned short bits) {
    unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 0) {
        float value = fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    unsigned wide = exponent == 31 ? 255 : exponent + 112;
    return __uint_as_float(sign | wide << 23 | fraction << 13);
}

template <unsigned short (*pack)(float), float (*unpack)(unsigned short)>
struct ShortFloat {
    unsigned short __x;

    ShortFloat() = default;

    template <class T, class = std::enable_if_t<std::is_arithmetic<T>::value>>
    ShortFloat(T value) : __x(pack(float(value))) {}

    operator float() const {
        return unpack(__x);
    }

    ShortFloat &operator+=(float value) {
        return *this = float(*this) + value;
    }

    ShortFloat &operator*=(float value) {
        return *this = float(*this) * value;
    }

    ShortFloat &operator/=(float value) {
        return *this = float(*this) / value;
    }
};

template <class T>
struct Pair {
    T x, y;
};

}  // namespace simulated

#define SIMULATED_SHORT_FLOAT(TYPE)                                                             \
    static inline bool __hisnan(TYPE a) { return isnan(float(a)); }                             \
    static inline TYPE hsqrt(TYPE a) { return sqrtf(a); }                                       \
    static inline TYPE hcos(TYPE a) { return cosf(a); }                                         \
    static inline TYPE hsin(TYPE a) { return sinf(a); }                                         \
    static inline TYPE hlog(TYPE a) { return logf(a); }                                         \
    static inline TYPE hexp(TYPE a) { return expf(a); }                                         \
    static inline TYPE __habs(TYPE a) { return fabsf(a); }                                      \
    static inline TYPE __hmax_nan(TYPE a, TYPE b) { return isnan(float(a)) || a > b ? a : b; }  \
    static inline TYPE __hmin_nan(TYPE a, TYPE b) { return isnan(float(a)) || a < b ? a : b; }  \
    static inline simulated::Pair<TYPE> __hadd2(simulated::Pair<TYPE> a, simulated::Pair<TYPE> b) { return {a.x + b.x, a.y + b.y}; } \
    static inline simulated::Pair<TYPE> __hsub2(simulated::Pair<TYPE> a, simulated::Pair<TYPE> b) { return {a.x - b.x, a.y - b.y}; } \
    static inline simulated::Pair<TYPE> __hmul2(simulated::Pair<TYPE> a, simulated::Pair<TYPE> b) { return {a.x * b.x, a.y * b.y}; } \
    static inline simulated::Pair<TYPE> __h2div(simulated::Pair<TYPE> a, simulated::Pair<TYPE> b) { return {a.x / b.x, a.y / b.y}; }
