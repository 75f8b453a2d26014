/* Pooling. x is [n, height, width, channels], y [n, rows, columns, channels]; the window of output row r begins at row
 * r * stride - top of the image, and what lies outside the image is no part of it. */

/* The first and the last output along one axis whose window holds `at`, and the first and the last element of a window inside. */
DEVICE int NAME(first_window)(int at, int window, int stride, int before) {
    int reach = at + before - window + 1;
    return reach <= 0 ? 0 : (reach + stride - 1) / stride;
}
DEVICE int NAME(last_window)(int at, int stride, int before, int windows) {
    int last = (at + before) / stride;
    return last < windows ? last : windows - 1;
}
DEVICE int NAME(inside_from)(int window, int stride, int before) {
    int first = window * stride - before;
    return first < 0 ? 0 : first;
}
DEVICE int NAME(inside_to)(int window, int size, int stride, int before, int end) {
    int last = window * stride - before + size;
    return last < end ? last : end;
}

/* The place in x of the largest element of a window, in a tie the first in reading order; a NaN is larger than all numbers. */
DEVICE int NAME(largest)(const REAL *x, int n, int r, int s, int channel, Pooling p) {
    int found = -1;
    float best = 0.0f;
    int last_row = NAME(inside_to)(r, p.window_rows, p.stride_down, p.top, p.height);
    int last_column = NAME(inside_to)(s, p.window_columns, p.stride_across, p.left, p.width);
    for (int i = NAME(inside_from)(r, p.stride_down, p.top); i < last_row; i++) {
        for (int j = NAME(inside_from)(s, p.stride_across, p.left); j < last_column; j++) {
            int place = ((n * p.height + i) * p.width + j) * p.channels + channel;
            float value = LOAD(x, place);
            if (found < 0 || value > best || (value != value && best == best)) {
                found = place;
                best = value;
            }
        }
    }
    return found;
}

KERNEL(max_pool2d)(int count, const REAL *x, REAL *y, Pooling p) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int channel = i % p.channels, s = i / p.channels % p.columns, r = i / p.channels / p.columns % p.rows;
    int n = i / p.channels / p.columns / p.rows;
    int place = NAME(largest)(x, n, r, s, channel, p);
    y[i] = x[place];
}

/* A thread an element of x: the sum over the windows that it wins. */
KERNEL(max_pool2d_gradient)(int count, const REAL *x, const REAL *gradient, REAL *out, Pooling p) {
    int place = THREAD;
    if (place >= count) {
        return;
    }
    int channel = place % p.channels, j = place / p.channels % p.width, i = place / p.channels / p.width % p.height;
    int n = place / p.channels / p.width / p.height;
    int last_r = NAME(last_window)(i, p.stride_down, p.top, p.rows), last_s = NAME(last_window)(j, p.stride_across, p.left, p.columns);
    float sum = 0.0f;
    for (int r = NAME(first_window)(i, p.window_rows, p.stride_down, p.top); r <= last_r; r++) {
        for (int s = NAME(first_window)(j, p.window_columns, p.stride_across, p.left); s <= last_s; s++) {
            int winner = NAME(largest)(x, n, r, s, channel, p);
            if (winner == place) {
                sum += LOAD(gradient, ((n * p.rows + r) * p.columns + s) * p.channels + channel);
            }
        }
    }
    STORE(out, place, sum);
}

/* By how much the sum of a window is divided: its pixels in the image, or all that it has. */
DEVICE float NAME(divisor)(int r, int s, int padding_counts, Pooling p) {
    if (padding_counts) {
        return (float)(p.window_rows * p.window_columns);
    }
    int down = NAME(inside_to)(r, p.window_rows, p.stride_down, p.top, p.height) - NAME(inside_from)(r, p.stride_down, p.top);
    int across = NAME(inside_to)(s, p.window_columns, p.stride_across, p.left, p.width) - NAME(inside_from)(s, p.stride_across, p.left);
    return (float)(down * across);
}

KERNEL(avg_pool2d)(int count, const REAL *x, REAL *y, int padding_counts, Pooling p) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int channel = i % p.channels, s = i / p.channels % p.columns, r = i / p.channels / p.columns % p.rows;
    int n = i / p.channels / p.columns / p.rows;
    int last_row = NAME(inside_to)(r, p.window_rows, p.stride_down, p.top, p.height);
    int last_column = NAME(inside_to)(s, p.window_columns, p.stride_across, p.left, p.width);
    float sum = 0.0f;
    for (int k = NAME(inside_from)(r, p.stride_down, p.top); k < last_row; k++) {
        for (int j = NAME(inside_from)(s, p.stride_across, p.left); j < last_column; j++) {
            sum += LOAD(x, ((n * p.height + k) * p.width + j) * p.channels + channel);
        }
    }
    STORE(y, i, sum / NAME(divisor)(r, s, padding_counts, p));
}

/* A thread an element of x. */
KERNEL(avg_pool2d_gradient)(int count, const REAL *gradient, REAL *out, int padding_counts, Pooling p) {
    int place = THREAD;
    if (place >= count) {
        return;
    }
    int channel = place % p.channels, j = place / p.channels % p.width, i = place / p.channels / p.width % p.height;
    int n = place / p.channels / p.width / p.height;
    int last_r = NAME(last_window)(i, p.stride_down, p.top, p.rows), last_s = NAME(last_window)(j, p.stride_across, p.left, p.columns);
    float sum = 0.0f;
    for (int r = NAME(first_window)(i, p.window_rows, p.stride_down, p.top); r <= last_r; r++) {
        for (int s = NAME(first_window)(j, p.window_columns, p.stride_across, p.left); s <= last_s; s++) {
            float share = NAME(divisor)(r, s, padding_counts, p);
            sum += LOAD(gradient, ((n * p.rows + r) * p.columns + s) * p.channels + channel) / share;
        }
    }
    STORE(out, place, sum);
}

/* The mean over all `area` pixels; a thread an image and channel. */
KERNEL(global_avg_pool2d)(int count, const REAL *x, REAL *y, int area, int channels) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    double sum = 0.0;
    for (int pixel = 0; pixel < area; pixel++) {
        sum += LOAD(x, (i / channels * area + pixel) * channels + i % channels);
    }
    STORE(y, i, (float)(sum / area));
}

KERNEL(global_avg_pool2d_gradient)(int count, const REAL *gradient, REAL *out, int area, int channels) {
    int i = THREAD;
    if (i < count) {
        STORE(out, i, LOAD(gradient, i / (area * channels) * channels + i % channels) / (float)area);
    }
}
