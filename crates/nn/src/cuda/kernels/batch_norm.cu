/* Batch normalization (Ioffe and Szegedy 2015), channel by channel: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.
 * `statistics` are means [channels], then biased variances [channels]. */

DEVICE float NAME(inverse_deviation)(const float *statistics, int channel, int channels, float epsilon) {
    return 1.0f / sqrtf(statistics[channels + channel] + epsilon);
}

/* sums [lanes, 2 * channels]: of x, and of its squares. In f64, so that nothing cancels where means are large and deviations
 * small. */
KERNEL(moment_sums)(int count, const REAL *x, double *sums, int rows, int channels, int lanes) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int lane = i / channels, channel = i % channels;
    double sum = 0.0, squares = 0.0;
    for (int row = lane; row < rows; row += lanes) {
        double value = LOAD(x, row * channels + channel);
        sum += value;
        squares += value * value;
    }
    sums[lane * 2 * channels + channel] = sum;
    sums[(lane * 2 + 1) * channels + channel] = squares;
}

KERNEL(batch_norm)(int count, const REAL *x, const float *statistics, const float *gamma, const float *beta, REAL *y, int channels,
                   float epsilon) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int channel = i % channels;
    float scale = gamma[channel] * NAME(inverse_deviation)(statistics, channel, channels, epsilon);
    STORE(y, i, (LOAD(x, i) - statistics[channel]) * scale + beta[channel]);
}

/* sums [lanes, 2 * channels]: the gradients to gamma and to beta. */
KERNEL(batch_norm_gradient_sums)(int count, const REAL *x, const REAL *gradient, const float *statistics, double *sums, int rows,
                                 int channels, int lanes, float epsilon) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int lane = i / channels, channel = i % channels, row = lane;
    float mean = statistics[channel];
    float inverse = NAME(inverse_deviation)(statistics, channel, channels, epsilon);
    double to_gamma = 0.0, to_beta = 0.0;
    while (row < rows) {
        float gamma_of_run = 0.0f, beta_of_run = 0.0f;
        for (int k = 0; k < 64 && row < rows; k++, row += lanes) {
            float g = LOAD(gradient, row * channels + channel);
            gamma_of_run += g * (LOAD(x, row * channels + channel) - mean) * inverse;
            beta_of_run += g;
        }
        to_gamma += gamma_of_run;
        to_beta += beta_of_run;
    }
    sums[lane * 2 * channels + channel] = to_gamma;
    sums[(lane * 2 + 1) * channels + channel] = to_beta;
}

/* With z = (x - mean) / deviation, gamma / deviation * (gradient - to_beta / rows - z * to_gamma / rows), where x was normalized by
 * its own statistics; gamma / deviation * gradient where by given ones (through_statistics 0). to_parameters: to gamma [channels],
 * then to beta [channels]. */
KERNEL(batch_norm_input_gradient)(int count, const REAL *x, const REAL *gradient, const float *statistics, const float *gamma,
                                  const float *to_parameters, REAL *out, int rows, int channels, int through_statistics,
                                  float epsilon) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int channel = i % channels;
    float inverse = NAME(inverse_deviation)(statistics, channel, channels, epsilon);
    float slope = LOAD(gradient, i);
    if (through_statistics) {
        float z = (LOAD(x, i) - statistics[channel]) * inverse;
        slope -= (to_parameters[channels + channel] + z * to_parameters[channel]) / (float)rows;
    }
    STORE(out, i, gamma[channel] * inverse * slope);
}
