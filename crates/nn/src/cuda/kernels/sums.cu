/* Sums over all but the last axis, in two steps and a fixed order: threads sum up rows that lie `lanes` apart, in f32 over 64
 * rows and f64 beyond; what they come to is added up 32 at a time until one row is left. */

/* sums [lanes, channels] of x [rows, channels]; a thread a lane and channel. */
KERNEL(lane_sums)(int count, const REAL *x, double *sums, int rows, int channels, int lanes) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    double sum = 0.0;
    int row = i / channels;
    while (row < rows) {
        float of_run = 0.0f;
        for (int k = 0; k < 64 && row < rows; k++, row += lanes) {
            of_run += LOAD(x, row * channels + i % channels);
        }
        sum += of_run;
    }
    sums[i] = sum;
}
