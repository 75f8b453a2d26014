/* Dropout's masks from a counter: the CPU's, bit for bit (kernel/dropout.rs). */

/* SplitMix64's finalizer (Steele, Lea and Flood 2014). */
DEVICE u64 NAME(mixed)(u64 value) {
    value += 0x9e3779b97f4a7c15ull;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
}

/* A unit is an element where `area` is 0, else a channel of an image of `area` pixels. Units whose 24 bits lie below `threshold`
 * are dropped. */
KERNEL(dropout)(int count, const REAL *x, REAL *y, u64 key, u64 threshold, float scale, int area, int channels) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int unit = area == 0 ? i : i / (area * channels) * channels + i % channels;
    /* A product with zero would turn a dropped infinity into a NaN. */
    float value = NAME(mixed)(key ^ (u64)unit) >> 40 >= threshold ? LOAD(x, i) * scale : 0.0f;
    STORE(y, i, value);
}
