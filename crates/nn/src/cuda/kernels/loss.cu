/* Losses of logits [n, width] and the shares of the classes, and their gradients to the logits; a thread a sample. */

DEVICE float not_a_number(void) {
    union { u32 bits; float number; } word;
    word.bits = 0x7fc00000u;
    return word.number;
}

/* shares [n, classes] of classes [n], not numbers where a class is none; a thread an element. */
PLAIN(one_hot)(int count, const u32 *of_sample, float *shares, int classes) {
    int i = THREAD;
    if (i < count) {
        u32 right = of_sample[i / classes];
        shares[i] = right >= (u32)classes ? not_a_number() : right == (u32)(i % classes) ? 1.0f : 0.0f;
    }
}

DEVICE float largest_logit(const float *row, int width) {
    float largest = row[0];
    for (int k = 1; k < width; k++) {
        largest = row[k] > largest ? row[k] : largest;
    }
    return largest;
}

PLAIN(cross_entropy)(int count, const float *logits, const float *shares, float *losses, int width) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    const float *row = logits + i * width;
    float largest = largest_logit(row, width), sum = 0.0f, right = 0.0f;
    for (int k = 0; k < width; k++) {
        sum += expf(row[k] - largest);
        /* A share of nothing keeps an infinite logit out. */
        right += shares[i * width + k] == 0.0f ? 0.0f : shares[i * width + k] * row[k];
    }
    losses[i] = logf(sum) + largest - right;
}

PLAIN(cross_entropy_gradient)(int count, const float *logits, const float *shares, float *out, int width) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    const float *row = logits + i * width;
    float largest = largest_logit(row, width), sum = 0.0f;
    for (int k = 0; k < width; k++) {
        sum += expf(row[k] - largest);
    }
    for (int k = 0; k < width; k++) {
        out[i * width + k] = expf(row[k] - largest) / sum - shares[i * width + k];
    }
}

PLAIN(binary_cross_entropy)(int count, const float *logits, const float *shares, float *losses) {
    int i = THREAD;
    if (i < count) {
        float x = logits[i];
        losses[i] = (x > 0.0f ? x : 0.0f * x) - x * shares[2 * i + 1] + log1pf(expf(-fabsf(x)));
    }
}

PLAIN(binary_cross_entropy_gradient)(int count, const float *logits, const float *shares, float *out) {
    int i = THREAD;
    if (i < count) {
        out[i] = activated(SIGMOID, logits[i]) - shares[2 * i + 1];
    }
}
