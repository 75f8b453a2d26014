// The driver's interface (libcuda): devices, memory, copies, streams and events.
#include "simulator.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101 };
// Attributes of a device, by the driver's numbers.
enum : int { MAJOR = 75, MINOR = 76, MULTIPROCESSORS = 16, THREADS_A_BLOCK = 1, MEMORY_POOLS = 115 };

int device_count() {
    const char *asked = getenv("SIMULATED_GPUS");
    return asked ? atoi(asked) : 1;
}

struct Context {
    int device;
};

// The primary contexts of at most 16 devices.
Context contexts[16];
thread_local Context *current = nullptr;

}  // namespace

extern "C" {

int cuInit(unsigned) {
    return device_count() > 0 ? SUCCESS : NO_DEVICE;
}

int cuGetErrorString(int error, const char **text) {
    switch (error) {
        case SUCCESS: *text = "no error"; break;
        case INVALID_VALUE: *text = "invalid argument"; break;
        case OUT_OF_MEMORY: *text = "out of memory"; break;
        case NO_DEVICE: *text = "no CUDA-capable device is detected"; break;
        case INVALID_DEVICE: *text = "invalid device ordinal"; break;
        default: *text = "an error of the simulated GPU"; break;
    }
    return SUCCESS;
}

int cuDeviceGetCount(int *count) {
    *count = device_count();
    return SUCCESS;
}

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < device_count() ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
    switch (attribute) {
        case MAJOR: *value = 8; break;
        case MINOR: *value = 0; break;
        case MULTIPROCESSORS: *value = 1; break;
        case THREADS_A_BLOCK: *value = 1024; break;
        case MEMORY_POOLS: *value = 1; break;
        default: fail("attribute %d of a device is not simulated", attribute);
    }
    return SUCCESS;
}

int cuDeviceGetDefaultMemPool(void **pool, int device) {
    *pool = &contexts[device];
    return SUCCESS;
}

int cuMemPoolSetAttribute(void *, int, void *) {
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    contexts[device].device = device;
    *context = &contexts[device];
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) {
    Guard guard(lock);
    finish_all();
    return SUCCESS;
}

int cuCtxDestroy_v2(void *) {
    fail("only primary contexts are simulated");
}

int cuCtxGetCurrent(void **context) {
    *context = current;
    return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
    current = static_cast<Context *>(context);
    return SUCCESS;
}

int cuCtxSynchronize() {
    Guard guard(lock);
    count("wait for the device");
    finish_all();
    return SUCCESS;
}

int cuStreamCreate(void **stream, unsigned flags) {
    Guard guard(lock);
    if (flags != 1) {
        fail("only streams are simulated that do not wait for the default one");
    }
    *stream = new_stream();
    return SUCCESS;
}

int cuStreamDestroy_v2(void *handle) {
    Guard guard(lock);
    Stream *stream = stream_of(handle);
    finish(stream);
    stream->is_destroyed = true;
    return SUCCESS;
}

int cuStreamSynchronize(void *stream) {
    Guard guard(lock);
    count("wait for a stream");
    finish(stream_of(stream));
    return SUCCESS;
}

int cuStreamIsCapturing(void *, int *status) {
    *status = 0;
    return SUCCESS;
}

int cuStreamWaitEvent(void *handle, void *of, unsigned) {
    Guard guard(lock);
    count("stream waits for an event");
    // What is waited for is the event as it is recorded now, also where it is recorded again or destroyed later.
    Event event = *static_cast<Event *>(of);
    if (event.stream) {
        ask(stream_of(handle), [event] { finish(event.stream, event.at); });
    }
    return SUCCESS;
}

int cuEventCreate(void **event, unsigned) {
    count("event made");
    *event = new Event;
    return SUCCESS;
}

int cuEventDestroy_v2(void *event) {
    Guard guard(lock);
    delete static_cast<Event *>(event);
    return SUCCESS;
}

int cuEventRecord(void *event, void *handle) {
    Guard guard(lock);
    count("event recorded");
    Stream *stream = stream_of(handle);
    *static_cast<Event *>(event) = {stream, stream->asked};
    return SUCCESS;
}

int cuEventSynchronize(void *of) {
    Guard guard(lock);
    count("wait for an event");
    Event event = *static_cast<Event *>(of);
    if (event.stream) {
        finish(event.stream, event.at);
    }
    return SUCCESS;
}

int cuMemAllocAsync(void **start, size_t bytes, void *stream) {
    Guard guard(lock);
    count("allocation");
    stream_of(stream);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    *start = allocate(bytes);
    return *start ? SUCCESS : OUT_OF_MEMORY;
}

int cuMemAlloc_v2(void **start, size_t bytes) {
    Guard guard(lock);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    *start = allocate(bytes);
    return *start ? SUCCESS : OUT_OF_MEMORY;
}

int cuMemFreeAsync(void *start, void *stream) {
    Guard guard(lock);
    begin_release(start);
    ask(stream_of(stream), [start] { release(start); });
    return SUCCESS;
}

int cuMemFree_v2(void *start) {
    Guard guard(lock);
    finish_all();
    begin_release(start);
    release(start);
    return SUCCESS;
}

int cuMemHostAlloc(void **start, size_t bytes, unsigned) {
    Guard guard(lock);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    *start = allocate_pinned(bytes);
    return SUCCESS;
}

int cuMemFreeHost(void *start) {
    Guard guard(lock);
    return release_pinned(start) ? SUCCESS : INVALID_VALUE;
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
    Guard guard(lock);
    *total = bytes_in_all();
    *free = bytes_in_all() - bytes_in_use();
    return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(void *there, const void *here, size_t bytes, void *handle) {
    Guard guard(lock);
    count("copy to the device");
    Stream *stream = stream_of(handle);
    check(there, bytes, "a copy to the device");
    if (is_pinned(here, bytes)) {
        ask(stream, [=] { memcpy(there, here, bytes); });
        return SUCCESS;
    }
    // Other memory is read before the call returns.
    const auto *from = static_cast<const char *>(here);
    ask(stream, [there, read = std::vector<char>(from, from + bytes)] { memcpy(there, read.data(), read.size()); });
    return SUCCESS;
}

int cuMemcpyDtoHAsync_v2(void *here, const void *there, size_t bytes, void *handle) {
    Guard guard(lock);
    count("copy from the device");
    Stream *stream = stream_of(handle);
    check(there, bytes, "a copy from the device");
    ask(stream, [=] { memcpy(here, there, bytes); });
    if (!is_pinned(here, bytes)) {
        // Other memory is written before the call returns.
        finish(stream);
    }
    return SUCCESS;
}

int cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t bytes, void *stream) {
    Guard guard(lock);
    count("copy within the device");
    check(to, bytes, "a copy within the device");
    check(from, bytes, "a copy within the device");
    ask(stream_of(stream), [=] { memmove(to, from, bytes); });
    return SUCCESS;
}

int cuMemcpyPeerAsync(void *to, void *, const void *from, void *, size_t bytes, void *stream) {
    return cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
}

int cuMemsetD8Async(void *start, unsigned char value, size_t bytes, void *stream) {
    Guard guard(lock);
    count("memory set");
    check(start, bytes, "memory to set");
    ask(stream_of(stream), [=] { memset(start, value, bytes); });
    return SUCCESS;
}

}  // extern "C"
