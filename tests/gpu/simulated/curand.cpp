// Random numbers (cuRAND). They are other ones than a GPU's.
#include "simulator.hpp"

#include <random>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0, ODD_LENGTH = 105 };

struct Generator {
    Stream *stream;
    std::mt19937_64 random;
};

template <class T, class Distribution>
int fill(void *generator, T *to, size_t count, Distribution distribution) {
    Guard guard(lock);
    auto *of = static_cast<Generator *>(generator);
    check(to, count * sizeof(T), "random numbers");
    ask(of->stream, [=]() mutable {
        for (size_t i = 0; i < count; i++) {
            to[i] = distribution(of->random);
        }
    });
    return SUCCESS;
}

}  // namespace

extern "C" {

int curandCreateGenerator(void **generator, int) {
    *generator = new Generator{};
    return SUCCESS;
}

int curandDestroyGenerator(void *generator) {
    Guard guard(lock);
    finish_all();
    delete static_cast<Generator *>(generator);
    return SUCCESS;
}

int curandSetPseudoRandomGeneratorSeed(void *generator, unsigned long long seed) {
    static_cast<Generator *>(generator)->random.seed(seed);
    return SUCCESS;
}

int curandSetStream(void *generator, void *stream) {
    Guard guard(lock);
    static_cast<Generator *>(generator)->stream = stream_of(stream);
    return SUCCESS;
}

int curandGenerateUniform(void *generator, float *to, size_t count) {
    return fill(generator, to, count, std::uniform_real_distribution<float>());
}

int curandGenerateUniformDouble(void *generator, double *to, size_t count) {
    return fill(generator, to, count, std::uniform_real_distribution<double>());
}

int curandGenerateNormal(void *generator, float *to, size_t count, float mean, float deviation) {
    return count % 2 ? ODD_LENGTH : fill(generator, to, count, std::normal_distribution<float>(mean, deviation));
}

int curandGenerateNormalDouble(void *generator, double *to, size_t count, double mean, double deviation) {
    return count % 2 ? ODD_LENGTH : fill(generator, to, count, std::normal_distribution<double>(mean, deviation));
}

}  // extern "C"
