// Products of matrices (cuBLAS), column after column as it has them.
#include "roundings.hpp"
#include "simulator.hpp"

#include <vector>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0, INVALID_VALUE = 7 };
enum : int { NOT_TRANSPOSED = 0, TRANSPOSED = 1 };
// The library's numbers of types, of values and of sums.
enum : int { F32 = 0, F64 = 1, BF16 = 14 };
enum : int { SUMS_OF_32_BITS = 68, SUMS_OF_TF32 = 77 };

struct Handle {
    Stream *stream;
};

size_t size_of(int type) {
    switch (type) {
        case F32: return 4;
        case F64: return 8;
        case BF16: return 2;
        default: fail("cuBLAS: type %d is not simulated", type);
    }
}

double get(const void *from, size_t at, int type) {
    switch (type) {
        case F32: return static_cast<const float *>(from)[at];
        case F64: return static_cast<const double *>(from)[at];
        default: return of_bf16(static_cast<const uint16_t *>(from)[at]);
    }
}

void set(void *to, size_t at, int type, double value) {
    switch (type) {
        case F32: static_cast<float *>(to)[at] = float(value); break;
        case F64: static_cast<double *>(to)[at] = value; break;
        default: static_cast<uint16_t *>(to)[at] = to_bf16(float(value)); break;
    }
}

struct Matrix {
    const void *start;
    int type;
    int transposed;
    long long leading;
    long long stride;

    // `rows` and `columns` are those of what enters the product.
    bool fits(int rows, int columns, int batches, const char *whose) const {
        long long height = transposed ? columns : rows, width = transposed ? rows : columns;
        if (leading < height || (transposed != NOT_TRANSPOSED && transposed != TRANSPOSED)) {
            return false;
        }
        long long last = (batches - 1) * stride + (width - 1) * leading + height;
        check(start, size_t(last) * size_of(type), whose);
        return true;
    }

    // Row after row.
    std::vector<float> rows_of(int rows, int columns, int batch, bool in_tf32) const {
        std::vector<float> all(size_t(rows) * columns);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                long long at = transposed ? row * leading + column : column * leading + row;
                auto value = float(get(start, batch * stride + at, type));
                all[size_t(row) * columns + column] = in_tf32 ? to_tf32(value) : value;
            }
        }
        return all;
    }
};

struct Product {
    int m, n, k, batches;
    bool in_tf32;
    double alpha, beta;
    Matrix a, b, c;

    void run() const {
        for (int batch = 0; batch < batches; batch++) {
            std::vector<float> left = a.rows_of(m, k, batch, in_tf32), right = b.rows_of(k, n, batch, in_tf32);
            std::vector<float> sums(size_t(m) * n);
            for (int i = 0; i < m; i++) {
                for (int inner = 0; inner < k; inner++) {
                    float factor = left[size_t(i) * k + inner];
                    for (int j = 0; j < n; j++) {
                        sums[size_t(i) * n + j] += factor * right[size_t(inner) * n + j];
                    }
                }
            }
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    size_t at = batch * c.stride + j * c.leading + i;
                    double before = beta == 0 ? 0 : beta * get(c.start, at, c.type);
                    set(const_cast<void *>(c.start), at, c.type, alpha * sums[size_t(i) * n + j] + before);
                }
            }
        }
    }
};

int multiply(void *handle, const Product &product) {
    auto [m, n, k, batches, in_tf32, alpha, beta, a, b, c] = product;

    if (m <= 0 || n <= 0 || k <= 0 || batches <= 0) {
        return INVALID_VALUE;
    }
    if (!a.fits(m, k, batches, "a product") || !b.fits(k, n, batches, "a product") || !c.fits(m, n, batches, "a product")) {
        return INVALID_VALUE;
    }
    count("product by cuBLAS");
    ask(static_cast<Handle *>(handle)->stream, [product] { product.run(); });
    return SUCCESS;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void **handle) {
    *handle = new Handle{};
    return SUCCESS;
}

int cublasDestroy_v2(void *handle) {
    delete static_cast<Handle *>(handle);
    return SUCCESS;
}

int cublasSetStream_v2(void *handle, void *stream) {
    Guard guard(lock);
    static_cast<Handle *>(handle)->stream = stream_of(stream);
    return SUCCESS;
}

int cublasGemmStridedBatchedEx(void *handle, int transpose_a, int transpose_b, int m, int n, int k, const void *alpha, const void *a,
                               int a_type, int lda, long long a_stride, const void *b, int b_type, int ldb, long long b_stride,
                               const void *beta, void *c, int c_type, int ldc, long long c_stride, int batches, int sums, int) {
    Guard guard(lock);
    if (sums != SUMS_OF_32_BITS && sums != SUMS_OF_TF32) {
        fail("cuBLAS: sums of type %d are not simulated", sums);
    }
    double factor = *static_cast<const float *>(alpha), of_before = *static_cast<const float *>(beta);
    return multiply(handle, {m, n, k, batches, sums == SUMS_OF_TF32, factor, of_before, {a, a_type, transpose_a, lda, a_stride},
                             {b, b_type, transpose_b, ldb, b_stride}, {c, c_type, NOT_TRANSPOSED, ldc, c_stride}});
}

int cublasDgemmStridedBatched(void *, int, int, int, int, int, const double *, const double *, int, long long, const double *, int,
                              long long, const double *, double *, int, long long, int) {
    fail("cuBLAS: products of f64 are not simulated");
}

}  // extern "C"
