/* Statistics of batch normalization; a thread a channel. */

/* statistics [2, channels]: means, then biased variances, from the sums of moment_sums, added up. */
PLAIN(statistics)(int count, const double *sums, float *statistics, int rows) {
    int channel = THREAD;
    if (channel >= count) {
        return;
    }
    double mean = sums[channel] / rows, variance = sums[count + channel] / rows - mean * mean;
    statistics[channel] = (float)mean;
    /* Written so that a NaN stays one. */
    statistics[count + channel] = (float)(variance < 0.0 ? 0.0 : variance);
}

/* running = (1 - momentum) * running + momentum * factor * batch. */
PLAIN(move_running)(int count, float *running, const float *batch, float momentum, float factor) {
    int i = THREAD;
    if (i < count) {
        running[i] = (1.0f - momentum) * running[i] + momentum * factor * batch[i];
    }
}
