/* What cuDNN wants otherwise: weights with the channels last, and images with their padding. */

/* out [outputs, area, inputs] of weight [outputs, inputs, area]. */
KERNEL(channels_last)(int count, const REAL *weight, REAL *out, int inputs, int area) {
    int i = THREAD;
    if (i < count) {
        out[i] = weight[(i / (inputs * area) * inputs + i % inputs) * area + i / inputs % area];
    }
}

/* out [outputs, inputs, area] of weight [outputs, area, inputs]. */
KERNEL(channels_first)(int count, const REAL *weight, float *out, int inputs, int area) {
    int i = THREAD;
    if (i < count) {
        out[i] = LOAD(weight, (i / (inputs * area) * area + i % area) * inputs + i / area % inputs);
    }
}

/* out [n, rows, columns, channels] with x [n, height, width, channels] from row top and column left on: zeros around it where
 * these are positive, its middle where they are negative. */
KERNEL(frame)(int count, const REAL *x, REAL *out, int height, int width, int channels, int rows, int columns, int top, int left) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int channel = i % channels, column = i / channels % columns - left, row = i / channels / columns % rows - top;
    int n = i / channels / columns / rows;
    if (row < 0 || row >= height || column < 0 || column >= width) {
        STORE(out, i, 0.0f);
        return;
    }
    out[i] = x[((n * height + row) * width + column) * channels + channel];
}
