/* One step of an optimizer over all parameters in one launch.
 *
 * Parameters are cut into chunks of 1,024 elements, a thread an element; chunks [count / 1024, 2] holds each one's parameter
 * and first element, lengths [parameters] how many elements there are, and starts where the parameter begins in what the
 * optimizer remembers of all of them, slot by slot. addresses [parameters, 2] are where a parameter and its gradient lie.
 * terms [parameters, 4] are its rate, the factors of L2 and L1 in its gradient, and its decay; formula is the optimizer's own. */

#define CHUNK 1024

#define STEP \
    int count, const int *chunks, const int *lengths, const int *starts, const u64 *addresses, const float *terms, \
    const float *formula, float scale, float *slot0, float *slot1, float *slot2

/* Where a thread's element lies; the last threads of a parameter have none. */
#define LOCATE \
    int thread = THREAD; \
    if (thread >= count) { \
        return; \
    } \
    int member = chunks[thread / CHUNK * 2], place = chunks[thread / CHUNK * 2 + 1] + thread % CHUNK; \
    if (place >= lengths[member]) { \
        return; \
    }

/* The element p before its step, decayed where its decay is decoupled, and the gradient g with what regularization adds. */
#define PREPARE \
    LOCATE \
    float *parameter = (float *)addresses[2 * member] + place; \
    float before = *parameter, g = scale * ((const float *)addresses[2 * member + 1])[place]; \
    float rate = terms[4 * member], l2 = terms[4 * member + 1], l1 = terms[4 * member + 2], decay = terms[4 * member + 3]; \
    if (l2 != 0.0f) { \
        g += l2 * before; \
    } \
    if (l1 != 0.0f) { \
        g += l1 * ((before > 0.0f ? 1.0f : 0.0f) - (before < 0.0f ? 1.0f : 0.0f)); \
    } \
    float p = decay == 0.0f ? before : before - decay * before;

/* Where what is kept of the element lies in each slot. */
#define AT int at = starts[member] + place;

PLAIN(sgd)(STEP) {
    PREPARE
    *parameter = p - rate * g;
}

/* formula: momentum, whether it is Nesterov's, whether the rate enters the buffer. */
PLAIN(sgd_momentum)(STEP) {
    PREPARE
    AT
    float entering = formula[2] != 0.0f ? rate : 1.0f, leaving = formula[2] != 0.0f ? 1.0f : rate;
    g *= entering;
    float b = formula[0] * slot0[at] + g;
    *parameter = p - leaving * (formula[1] != 0.0f ? g + formula[0] * b : b);
    slot0[at] = b;
}

/* formula: rho, epsilon inside and outside the root, momentum, whether it is centered, whether the rate enters the buffer.
 * Slots: mean square, mean gradient where it is centered, buffer where there is momentum. */
PLAIN(rmsprop)(STEP) {
    PREPARE
    AT
    float rho = formula[0], momentum = formula[3], *buffer = formula[4] != 0.0f ? slot2 : slot1;
    float v = rho * slot0[at] + (1.0f - rho) * g * g, variance = v;
    slot0[at] = v;
    if (formula[4] != 0.0f) {
        float a = rho * slot1[at] + (1.0f - rho) * g;
        slot1[at] = a;
        variance = v - a * a;
        variance = variance < 0.0f ? 0.0f : variance;
    }
    float quotient = g / (sqrtf(variance + formula[1]) + formula[2]);
    if (momentum == 0.0f) {
        *parameter = p - rate * quotient;
        return;
    }
    float entering = formula[5] != 0.0f ? rate : 1.0f, leaving = formula[5] != 0.0f ? 1.0f : rate;
    float b = momentum * buffer[at] + entering * quotient;
    buffer[at] = b;
    *parameter = p - leaving * b;
}

/* formula: the shares of both means that stay, those that enter, epsilon, and the corrections' factors of rate and root. */
PLAIN(adam)(STEP) {
    PREPARE
    AT
    float m = formula[0] * slot0[at] + formula[2] * g;
    float v = formula[1] * slot1[at] + formula[3] * g * g;
    slot0[at] = m;
    slot1[at] = v;
    *parameter = p - rate * formula[5] * m / (sqrtf(v) * formula[6] + formula[4]);
}

/* sums [count]: of the squares of the gradient's elements that lie 32 apart in a chunk; 32 threads a chunk. */
PLAIN(squared_gradients)(int count, const int *chunks, const int *lengths, const u64 *addresses, double *sums) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    int member = chunks[i / 32 * 2], first = chunks[i / 32 * 2 + 1];
    const float *gradient = (const float *)addresses[2 * member + 1];
    double sum = 0.0;
    for (int place = first + i % 32; place < first + CHUNK && place < lengths[member]; place += 32) {
        sum += (double)gradient[place] * gradient[place];
    }
    sums[i] = sum;
}

/* averages += entering * (parameter - averages). */
PLAIN(average)(int count, const int *chunks, const int *lengths, const int *starts, const u64 *addresses, float *averages,
               float entering) {
    LOCATE
    float weight = ((const float *)addresses[2 * member])[place];
    AT
    averages[at] += entering * (weight - averages[at]);
}
