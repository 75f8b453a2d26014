/* Of each 32 rows of sums [rows, columns], the last ones fewer, one row of out; a thread an element of it. */
PLAIN(sum_rows)(int count, const double *sums, double *out, int rows, int columns) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    double sum = 0.0;
    for (int row = i / columns * 32; row < i / columns * 32 + 32 && row < rows; row++) {
        sum += sums[row * columns + i % columns];
    }
    out[i] = sum;
}

/* out [outputs, rest] of sums [rest, outputs]. */
PLAIN(to_weight)(int count, const double *sums, float *out, int outputs) {
    int i = THREAD;
    if (i < count) {
        int rest = count / outputs;
        out[i] = (float)sums[i % rest * outputs + i / rest];
    }
}

PLAIN(to_floats)(int count, const double *sums, float *out) {
    int i = THREAD;
    if (i < count) {
        out[i] = (float)sums[i];
    }
}
