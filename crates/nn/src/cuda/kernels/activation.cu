/* Activations, and the bias in front of them. */

/* y = activation(y + bias), in place; y [..., channels], bias [channels]. */
KERNEL(add_bias)(int count, REAL *y, const float *bias, int channels, int activation) {
    int i = THREAD;
    if (i >= count) {
        return;
    }
    float sum = LOAD(y, i) + bias[i % channels];
    STORE(y, i, activated(activation, sum));
}

KERNEL(activate)(int count, const REAL *x, REAL *y, int activation) {
    int i = THREAD;
    if (i < count) {
        STORE(y, i, activated(activation, LOAD(x, i)));
    }
}

KERNEL(activation_gradient)(int count, const REAL *y, const REAL *gradient, REAL *out, int activation) {
    int i = THREAD;
    if (i < count) {
        STORE(out, i, through_activation(activation, LOAD(y, i), LOAD(gradient, i)));
    }
}
