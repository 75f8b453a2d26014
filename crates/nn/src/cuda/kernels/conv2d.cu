/* Convolution, one thread an element of the result, for any stride, padding, dilation and groups: what there is without cuDNN, and for
 * depthwise ones. x [n, height, width, inputs], weight [outputs, inputs / groups, kernel_rows, kernel_columns],
 * y [n, rows, columns, outputs]. */

KERNEL(conv2d)(int count, const REAL *x, const REAL *weight, REAL *y, Convolution v) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int output = i % v.outputs, s = i / v.outputs % v.columns, r = i / v.outputs / v.columns % v.rows, n = i / v.outputs / v.columns / v.rows;
    int group_inputs = v.inputs / v.groups, first_input = output / (v.outputs / v.groups) * group_inputs;
    float sum = 0.0f;
    for (int a = 0; a < v.kernel_rows; a++) {
        int row = r * v.stride_down - v.top + a * v.dilation_down;
        for (int b = 0; row >= 0 && row < v.height && b < v.kernel_columns; b++) {
            int column = s * v.stride_across - v.left + b * v.dilation_across;
            for (int c = 0; column >= 0 && column < v.width && c < group_inputs; c++) {
                int at = ((output * group_inputs + c) * v.kernel_rows + a) * v.kernel_columns + b;
                sum += LOAD(x, ((n * v.height + row) * v.width + column) * v.inputs + first_input + c) * LOAD(weight, at);
            }
        }
    }
    STORE(y, i, sum);
}

/* A thread an element of x. */
KERNEL(conv2d_input_gradient)(int count, const REAL *weight, const REAL *gradient, REAL *out, Convolution v) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int input = i % v.inputs, column = i / v.inputs % v.width, row = i / v.inputs / v.width % v.height, n = i / v.inputs / v.width / v.height;
    int group_inputs = v.inputs / v.groups, group_outputs = v.outputs / v.groups;
    int c = input % group_inputs, first_output = input / group_inputs * group_outputs;
    float sum = 0.0f;
    for (int a = 0; a < v.kernel_rows; a++) {
        int down = row + v.top - a * v.dilation_down, r = down / v.stride_down;
        if (down < 0 || down % v.stride_down != 0 || r >= v.rows) {
            continue;
        }
        for (int b = 0; b < v.kernel_columns; b++) {
            int across = column + v.left - b * v.dilation_across, s = across / v.stride_across;
            if (across < 0 || across % v.stride_across != 0 || s >= v.columns) {
                continue;
            }
            for (int o = first_output; o < first_output + group_outputs; o++) {
                int at = ((o * group_inputs + c) * v.kernel_rows + a) * v.kernel_columns + b;
                sum += LOAD(gradient, ((n * v.rows + r) * v.columns + s) * v.outputs + o) * LOAD(weight, at);
            }
        }
    }
    STORE(out, i, sum);
}

/* sums [lanes, inputs / groups, kernel_rows, kernel_columns, outputs] over the places of windows that lie `lanes` apart; a thread a lane
 * and weight. With the outputs last, neighboring threads read neighboring numbers. */
KERNEL(conv2d_weight_sums)(int count, const REAL *x, const REAL *gradient, double *sums, int places, int lanes, Convolution v) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int group_inputs = v.inputs / v.groups, weights = v.outputs * group_inputs * v.kernel_rows * v.kernel_columns;
    int output = i % v.outputs, at = i % weights / v.outputs;
    int b = at % v.kernel_columns, a = at / v.kernel_columns % v.kernel_rows, c = at / v.kernel_columns / v.kernel_rows;
    int input = output / (v.outputs / v.groups) * group_inputs + c;
    double sum = 0.0;
    for (int place = i / weights; place < places; place += lanes) {
        int s = place % v.columns, r = place / v.columns % v.rows, n = place / v.columns / v.rows;
        int row = r * v.stride_down - v.top + a * v.dilation_down, column = s * v.stride_across - v.left + b * v.dilation_across;
        if (row >= 0 && row < v.height && column >= 0 && column < v.width) {
            sum += (double)(LOAD(x, ((n * v.height + row) * v.width + column) * v.inputs + input) * LOAD(gradient, place * v.outputs + output));
        }
    }
    sums[i] = sum;
}
