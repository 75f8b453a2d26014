// Convolutions (cuDNN), by their definition. Sizes must be those that a convolution of the others gives, and the heuristics take
// algorithms that add in any order first, so that it shows whether the program passes them over.
#include "roundings.hpp"
#include "simulator.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000 };
enum : int { F32 = 0, BF16 = 9 };
enum : int { CHANNELS_FIRST = 0, CHANNELS_LAST = 1 };
enum : int { CROSS_CORRELATION = 1 };
enum : int { WITHOUT_TENSOR_CORES = 3 };

constexpr size_t WORKSPACE = 4096;

struct Handle {
    Stream *stream;
};

// A tensor or a filter; `sizes` and `strides` are of images or outputs, channels, rows, columns.
struct Descriptor {
    int type;
    int sizes[4];
    int strides[4];

    void set(int layout, int of_type, int n, int c, int h, int w) {
        if (layout != CHANNELS_FIRST && layout != CHANNELS_LAST) {
            fail("cuDNN: layout %d is not simulated", layout);
        }
        bool last = layout == CHANNELS_LAST;
        *this = {of_type, {n, c, h, w}, {c * h * w, last ? 1 : h * w, last ? w * c : w, last ? c : 1}};
    }

    size_t count() const {
        return size_t(sizes[0]) * sizes[1] * sizes[2] * sizes[3];
    }

    size_t bytes() const {
        return count() * (type == F32 ? 4 : 2);
    }
};

struct Convolution {
    int padding[2], stride[2], dilation[2];
    int groups = 1;
    int math_type = 0;
};

// As f32, with the channels last.
std::vector<float> read(const Descriptor &of, const void *start, const Convolution &convolution) {
    bool in_tf32 = of.type == F32 && convolution.math_type != WITHOUT_TENSOR_CORES;
    std::vector<float> values;
    values.reserve(of.count());
    for (int n = 0; n < of.sizes[0]; n++) {
        for (int h = 0; h < of.sizes[2]; h++) {
            for (int w = 0; w < of.sizes[3]; w++) {
                for (int c = 0; c < of.sizes[1]; c++) {
                    size_t at = size_t(n) * of.strides[0] + c * of.strides[1] + h * of.strides[2] + w * of.strides[3];
                    float value = of.type == F32 ? static_cast<const float *>(start)[at]
                                                 : of_bf16(static_cast<const uint16_t *>(start)[at]);
                    values.push_back(in_tf32 ? to_tf32(value) : value);
                }
            }
        }
    }
    return values;
}

void write(const Descriptor &of, void *start, const std::vector<float> &values) {
    size_t next = 0;
    for (int n = 0; n < of.sizes[0]; n++) {
        for (int h = 0; h < of.sizes[2]; h++) {
            for (int w = 0; w < of.sizes[3]; w++) {
                for (int c = 0; c < of.sizes[1]; c++) {
                    size_t at = size_t(n) * of.strides[0] + c * of.strides[1] + h * of.strides[2] + w * of.strides[3];
                    float value = values[next++];
                    if (of.type == F32) {
                        static_cast<float *>(start)[at] = value;
                    } else {
                        static_cast<uint16_t *>(start)[at] = to_bf16(value);
                    }
                }
            }
        }
    }
}

struct Problem {
    Descriptor x, w, y;
    Convolution convolution;

    bool is_one() const {
        int groups = convolution.groups;
        bool is_type = x.type == w.type && x.type == y.type && (x.type == F32 || x.type == BF16);
        bool are_channels = groups > 0 && x.sizes[1] == w.sizes[1] * groups && w.sizes[0] % groups == 0 && y.sizes[1] == w.sizes[0];
        bool is_output = y.sizes[0] == x.sizes[0];
        for (int axis = 0; axis < 2; axis++) {
            int reach = convolution.dilation[axis] * (w.sizes[2 + axis] - 1) + 1;
            int padded = x.sizes[2 + axis] + 2 * convolution.padding[axis];
            is_output = is_output && padded >= reach && y.sizes[2 + axis] == (padded - reach) / convolution.stride[axis] + 1;
        }
        return is_type && are_channels && is_output;
    }

    // Grouped convolutions that are dilated are declined, so that it shows what the program does then; all of them with
    // `SIMULATED_CUDNN=declines`.
    bool is_declined() const {
        static const bool declines = getenv("SIMULATED_CUDNN") && !strcmp(getenv("SIMULATED_CUDNN"), "declines");
        return declines || (convolution.groups > 1 && (convolution.dilation[0] > 1 || convolution.dilation[1] > 1));
    }

    // Calls `body(x, w, y)` with where the channels of one group lie that one place of a window brings together.
    template <class Body>
    void each(Body body) const {
        int inputs = w.sizes[1], outputs = w.sizes[0] / convolution.groups;
        for (int n = 0; n < y.sizes[0]; n++) {
            for (int p = 0; p < y.sizes[2]; p++) {
                for (int q = 0; q < y.sizes[3]; q++) {
                    for (int r = 0; r < w.sizes[2]; r++) {
                        for (int s = 0; s < w.sizes[3]; s++) {
                            int h = p * convolution.stride[0] - convolution.padding[0] + r * convolution.dilation[0];
                            int v = q * convolution.stride[1] - convolution.padding[1] + s * convolution.dilation[1];
                            if (h < 0 || v < 0 || h >= x.sizes[2] || v >= x.sizes[3]) {
                                continue;
                            }
                            for (int k = 0; k < w.sizes[0]; k++) {
                                int group = k / outputs;
                                size_t at_x = ((size_t(n) * x.sizes[2] + h) * x.sizes[3] + v) * x.sizes[1] + group * inputs;
                                size_t at_w = ((size_t(k) * w.sizes[2] + r) * w.sizes[3] + s) * inputs;
                                size_t at_y = ((size_t(n) * y.sizes[2] + p) * y.sizes[3] + q) * y.sizes[1] + k;
                                body(at_x, at_w, at_y);
                            }
                        }
                    }
                }
            }
        }
    }
};

Problem problem_of(const void *x, const void *w, const void *convolution, const void *y) {
    return {*static_cast<const Descriptor *>(x), *static_cast<const Descriptor *>(w), *static_cast<const Descriptor *>(y),
            *static_cast<const Convolution *>(convolution)};
}

// What cuDNN says of an algorithm.
struct Performance {
    int algorithm;
    int status;
    float milliseconds;
    size_t workspace;
    int is_deterministic;
    int math_type;
    int reserved[3];
};

int algorithms(const Problem &problem, int picked, int asked, int *count, Performance *found) {
    if (!problem.is_one() || asked < 1) {
        return BAD_PARAM;
    }
    *count = 1;
    found[0] = {picked, problem.is_declined() ? NOT_SUPPORTED : SUCCESS, 1.0f, WORKSPACE, 0, problem.convolution.math_type, {}};
    return SUCCESS;
}

int workspace(const Problem &problem, size_t *bytes) {
    *bytes = WORKSPACE;
    return problem.is_declined() ? NOT_SUPPORTED : SUCCESS;
}

// Asks for a convolution after a look at all that it was given.
template <class Run>
int launch(void *handle, const Problem &problem, const void *x, const void *w, const void *y, void *space, size_t bytes,
           const void *alpha, const void *beta, Run run) {
    if (!problem.is_one() || bytes < WORKSPACE) {
        return BAD_PARAM;
    }
    if (problem.is_declined()) {
        return NOT_SUPPORTED;
    }
    // The factors are f32 for tensors of 16 bits too.
    if (*static_cast<const float *>(alpha) != 1.0f || *static_cast<const float *>(beta) != 0.0f) {
        fail("cuDNN: only the factors 1 and 0 are simulated, not %g and %g", *static_cast<const float *>(alpha),
             *static_cast<const float *>(beta));
    }
    check(x, problem.x.bytes(), "cuDNN, for images,");
    check(w, problem.w.bytes(), "cuDNN, for a filter,");
    check(y, problem.y.bytes(), "cuDNN, for an output,");
    check(space, bytes, "cuDNN, for its workspace,");
    count("convolution by cuDNN");
    ask(static_cast<Handle *>(handle)->stream, [=] {
        memset(space, 0x7f, bytes);
        run();
    });
    return SUCCESS;
}

template <class T>
int make(void **made) {
    *made = new T{};
    return SUCCESS;
}

template <class T>
int destroy(void *made) {
    delete static_cast<T *>(made);
    return SUCCESS;
}

// Algorithms by the library's numbers.
enum : int { PRECOMPUTED_GEMM = 1 };
enum : int { UNORDERED_GRADIENT = 0, ORDERED_GRADIENT = 1 };

void must_be_ordered(int algorithm, const char *whose) {
    if (algorithm != ORDERED_GRADIENT) {
        fail("cuDNN: the %s gradient's algorithm %d adds in any order", whose, algorithm);
    }
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() {
    return 90000;
}

int cudnnCreate(void **handle) {
    return make<Handle>(handle);
}

int cudnnDestroy(void *handle) {
    return destroy<Handle>(handle);
}

int cudnnSetStream(void *handle, void *stream) {
    Guard guard(lock);
    static_cast<Handle *>(handle)->stream = stream_of(stream);
    return SUCCESS;
}

int cudnnCreateTensorDescriptor(void **descriptor) {
    return make<Descriptor>(descriptor);
}

int cudnnDestroyTensorDescriptor(void *descriptor) {
    return destroy<Descriptor>(descriptor);
}

int cudnnCreateFilterDescriptor(void **descriptor) {
    return make<Descriptor>(descriptor);
}

int cudnnDestroyFilterDescriptor(void *descriptor) {
    return destroy<Descriptor>(descriptor);
}

int cudnnCreateConvolutionDescriptor(void **descriptor) {
    return make<Convolution>(descriptor);
}

int cudnnDestroyConvolutionDescriptor(void *descriptor) {
    return destroy<Convolution>(descriptor);
}

int cudnnSetTensor4dDescriptor(void *descriptor, int layout, int type, int n, int c, int h, int w) {
    static_cast<Descriptor *>(descriptor)->set(layout, type, n, c, h, w);
    return SUCCESS;
}

int cudnnSetTensor4dDescriptorEx(void *descriptor, int type, int n, int c, int h, int w, int n_stride, int c_stride, int h_stride,
                                 int w_stride) {
    *static_cast<Descriptor *>(descriptor) = {type, {n, c, h, w}, {n_stride, c_stride, h_stride, w_stride}};
    return SUCCESS;
}

int cudnnSetFilter4dDescriptor(void *descriptor, int type, int layout, int k, int c, int h, int w) {
    static_cast<Descriptor *>(descriptor)->set(layout, type, k, c, h, w);
    return SUCCESS;
}

int cudnnSetConvolution2dDescriptor(void *descriptor, int top, int left, int down, int across, int dilation_down, int dilation_across,
                                    int mode, int sums) {
    if (mode != CROSS_CORRELATION || sums != F32) {
        fail("cuDNN: only cross-correlations with sums of f32 are simulated");
    }
    auto *of = static_cast<Convolution *>(descriptor);
    *of = {{top, left}, {down, across}, {dilation_down, dilation_across}};
    return down > 0 && across > 0 && dilation_down > 0 && dilation_across > 0 && top >= 0 && left >= 0 ? SUCCESS : BAD_PARAM;
}

int cudnnSetConvolutionGroupCount(void *descriptor, int groups) {
    static_cast<Convolution *>(descriptor)->groups = groups;
    return SUCCESS;
}

int cudnnSetConvolutionMathType(void *descriptor, int math_type) {
    static_cast<Convolution *>(descriptor)->math_type = math_type;
    return SUCCESS;
}

int cudnnGetConvolutionForwardAlgorithm_v7(void *, void *x, void *w, void *convolution, void *y, int asked, int *count,
                                           Performance *found) {
    return algorithms(problem_of(x, w, convolution, y), PRECOMPUTED_GEMM, asked, count, found);
}

int cudnnGetConvolutionBackwardDataAlgorithm_v7(void *, void *w, void *dy, void *convolution, void *dx, int asked, int *count,
                                                Performance *found) {
    return algorithms(problem_of(dx, w, convolution, dy), UNORDERED_GRADIENT, asked, count, found);
}

int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void *, void *x, void *dy, void *convolution, void *dw, int asked, int *count,
                                                  Performance *found) {
    return algorithms(problem_of(x, dw, convolution, dy), UNORDERED_GRADIENT, asked, count, found);
}

int cudnnGetConvolutionForwardWorkspaceSize(void *, void *x, void *w, void *convolution, void *y, int, size_t *bytes) {
    return workspace(problem_of(x, w, convolution, y), bytes);
}

int cudnnGetConvolutionBackwardDataWorkspaceSize(void *, void *w, void *dy, void *convolution, void *dx, int, size_t *bytes) {
    return workspace(problem_of(dx, w, convolution, dy), bytes);
}

int cudnnGetConvolutionBackwardFilterWorkspaceSize(void *, void *x, void *dy, void *convolution, void *dw, int, size_t *bytes) {
    return workspace(problem_of(x, dw, convolution, dy), bytes);
}

int cudnnConvolutionForward(void *handle, const void *alpha, void *x_of, const void *x, void *w_of, const void *w, void *convolution,
                            int, void *space, size_t bytes, const void *beta, void *y_of, void *y) {
    Guard guard(lock);
    Problem problem = problem_of(x_of, w_of, convolution, y_of);
    return launch(handle, problem, x, w, y, space, bytes, alpha, beta, [=] {
        auto images = read(problem.x, x, problem.convolution), filter = read(problem.w, w, problem.convolution);
        std::vector<float> output(problem.y.count());
        int inputs = problem.w.sizes[1];
        problem.each([&](size_t at_x, size_t at_w, size_t at_y) {
            float sum = 0;
            for (int c = 0; c < inputs; c++) {
                sum += images[at_x + c] * filter[at_w + c];
            }
            output[at_y] += sum;
        });
        write(problem.y, y, output);
    });
}

int cudnnConvolutionBackwardData(void *handle, const void *alpha, void *w_of, const void *w, void *dy_of, const void *dy,
                                 void *convolution, int algorithm, void *space, size_t bytes, const void *beta, void *dx_of, void *dx) {
    Guard guard(lock);
    must_be_ordered(algorithm, "input");
    Problem problem = problem_of(dx_of, w_of, convolution, dy_of);
    return launch(handle, problem, dx, w, dy, space, bytes, alpha, beta, [=] {
        auto filter = read(problem.w, w, problem.convolution), gradient = read(problem.y, dy, problem.convolution);
        std::vector<float> images(problem.x.count());
        int inputs = problem.w.sizes[1];
        problem.each([&](size_t at_x, size_t at_w, size_t at_y) {
            for (int c = 0; c < inputs; c++) {
                images[at_x + c] += gradient[at_y] * filter[at_w + c];
            }
        });
        write(problem.x, dx, images);
    });
}

int cudnnConvolutionBackwardFilter(void *handle, const void *alpha, void *x_of, const void *x, void *dy_of, const void *dy,
                                   void *convolution, int algorithm, void *space, size_t bytes, const void *beta, void *dw_of,
                                   void *dw) {
    Guard guard(lock);
    must_be_ordered(algorithm, "weight");
    Problem problem = problem_of(x_of, dw_of, convolution, dy_of);
    return launch(handle, problem, x, dw, dy, space, bytes, alpha, beta, [=] {
        auto images = read(problem.x, x, problem.convolution), gradient = read(problem.y, dy, problem.convolution);
        std::vector<float> filter(problem.w.count());
        int inputs = problem.w.sizes[1];
        problem.each([&](size_t at_x, size_t at_w, size_t at_y) {
            for (int c = 0; c < inputs; c++) {
                filter[at_w + c] += gradient[at_y] * images[at_x + c];
            }
        });
        write(problem.w, dw, filter);
    });
}

}  // extern "C"
