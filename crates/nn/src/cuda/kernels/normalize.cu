/* Bytes as the values that a network takes: the CPU's bits (kernel/normalize.rs). */

PLAIN(normalize)(int count, const u8 *images, const float *scale, const float *offset, float *out, int channels) {
    int i = THREAD;
    if (i < count) {
        out[i] = PRODUCT_PLUS((float)images[i], scale[i % channels], offset[i % channels]);
    }
}
