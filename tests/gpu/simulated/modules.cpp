// Modules: what stands in for PTX is C++ that went through the preprocessor (`nvcc`, and NVRTC below). It is compiled when it is
// loaded, once for each text, into the folder `modules` beside this library.
#include "simulator.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace simulated;

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

enum : int { SUCCESS = 0, INVALID_VALUE = 1, INVALID_PTX = 218, NOT_FOUND = 500 };

constexpr const char *MARK = "// C++ of the simulated GPU\n";

// What `device/kernel.hpp` says of a kernel's parameters.
struct Parameters {
    unsigned count;
    const unsigned *sizes;
    const bool *are_pointers;
};

struct Function {
    std::string name;
    const Parameters *parameters;
    void (*run)(bool in_turns, const unsigned *grid, const unsigned *block, void **arguments);
    bool in_turns;
};

// The folder of this library, which also has the headers of kernels.
std::string folder() {
    Dl_info of{};
    if (!dladdr(reinterpret_cast<void *>(&folder), &of)) {
        fail("this library's place is unknown");
    }
    std::string path = of.dli_fname;
    return path.substr(0, path.rfind('/'));
}

std::string quoted(const std::string &path) {
    return "'" + path + "'";
}

void run_or_fail(const std::string &command) {
    if (int status = system(command.c_str()); status != 0) {
        fail("this ended with status %d: %s", status, command.c_str());
    }
}

std::string read(const std::string &path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// The folder of what was compiled.
std::string modules() {
    static const std::string modules = folder() + "/modules";
    run_or_fail("mkdir -p " + quoted(modules));
    return modules;
}

// FNV-1a.
std::string hash_of(const std::string &text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char byte : text) {
        hash = (hash ^ byte) * 0x100000001b3;
    }
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    return digits;
}

bool is_of_name(char c) {
    return isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// The names of what the text declares as `extern "C" __global__ void name(`.
std::vector<std::string> kernels_of(const std::string &text) {
    std::vector<std::string> names;
    const std::string beginning = "__global__";
    for (size_t at = text.find(beginning); at != std::string::npos; at = text.find(beginning, at + 1)) {
        size_t before = text.find_last_not_of(" \n", at - 1);
        if (before == std::string::npos || before < 2 || text.compare(before - 2, 3, "\"C\"") != 0) {
            continue;
        }
        size_t open = text.find('(', at);
        size_t end = text.find_last_not_of(" \n", open - 1) + 1;
        size_t start = end;
        while (is_of_name(text[start - 1])) {
            start--;
        }
        names.push_back(text.substr(start, end - start));
    }
    return names;
}

// The library of a module's kernels.
std::string compiled(const std::string &text) {
    std::string name = modules() + "/" + hash_of(text);
    std::string library = name + ".so";
    if (access(library.c_str(), R_OK) == 0) {
        return library;
    }
    // Another process may be compiling it, too: each under a name of its own, and the last one's takes the place.
    std::string own = name + "." + std::to_string(getpid());
    std::ofstream source(own + ".cpp");
    source << text;
    for (const std::string &kernel : kernels_of(text)) {
        source << "extern \"C\" void simulated_run_" << kernel
               << "(bool in_turns, const unsigned *grid, const unsigned *block, void **arguments) {\n"
               << "    simulated::run(&" << kernel << ", in_turns, grid, block, arguments);\n}\n"
               << "extern \"C\" const void *simulated_parameters_" << kernel << "() {\n"
               << "    return simulated::parameters(&" << kernel << ");\n}\n";
    }
    source.close();
    run_or_fail("g++ -std=c++17 -O2 -w -fPIC -shared -fno-strict-aliasing -D__global__= -D__device__= -D__host__= "
                "-D__forceinline__=inline -D__shared__=static '-D__launch_bounds__(...)=' -o " + quoted(own + ".so") +
                " " + quoted(own + ".cpp"));
    run_or_fail("mv " + quoted(own + ".so") + " " + quoted(library) + " && rm " + quoted(own + ".cpp"));
    return library;
}

struct Program {
    std::string source;
    std::string text;
};

}  // namespace

extern "C" {

int cuModuleLoadData(void **module, const void *image) {
    Guard guard(lock);
    std::string text = static_cast<const char *>(image);
    if (text.compare(0, strlen(MARK), MARK) != 0) {
        return INVALID_PTX;
    }
    *module = dlopen(compiled(text).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!*module) {
        fail("%s", dlerror());
    }
    return SUCCESS;
}

int cuModuleLoad(void **module, const char *path) {
    return cuModuleLoadData(module, read(path).c_str());
}

int cuModuleUnload(void *module) {
    Guard guard(lock);
    finish_all();
    dlclose(module);
    return SUCCESS;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    Guard guard(lock);
    void *run = dlsym(module, (std::string("simulated_run_") + name).c_str());
    void *parameters = dlsym(module, (std::string("simulated_parameters_") + name).c_str());
    if (!run || !parameters) {
        return NOT_FOUND;
    }
    auto of = reinterpret_cast<const Parameters *(*)()>(parameters)();
    bool in_turns = dlsym(module, "simulated_wait");
    *function = new Function{name, of, reinterpret_cast<decltype(Function::run)>(run), in_turns};
    return SUCCESS;
}

int cuLaunchKernel(void *handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void *stream, void **given, void **) {
    Guard guard(lock);
    const auto *function = static_cast<Function *>(handle);
    size_t threads = size_t{block_x} * block_y * block_z;
    bool is_grid = grid_x > 0 && grid_y > 0 && grid_z > 0 && grid_x <= 0x7fffffff && grid_y <= 65535 && grid_z <= 65535;
    if (!is_grid || threads == 0 || threads > 1024) {
        return INVALID_VALUE;
    }
    if (shared_bytes > 0) {
        fail("%s asks for shared memory at its launch, which is not simulated", function->name.c_str());
    }
    std::vector<std::vector<char>> arguments;
    for (unsigned i = 0; i < function->parameters->count; i++) {
        const auto *value = static_cast<const char *>(given[i]);
        arguments.emplace_back(value, value + function->parameters->sizes[i]);
        void *address = nullptr;
        if (function->parameters->are_pointers[i]) {
            memcpy(&address, value, sizeof address);
        }
        if (address) {
            check(address, 0, function->name.c_str());
        }
    }
    count("kernel " + function->name);
    std::vector<unsigned> grid{grid_x, grid_y, grid_z};
    std::vector<unsigned> block{block_x, block_y, block_z};
    ask(stream_of(stream), [function, grid, block, arguments]() mutable {
        std::vector<void *> addresses;
        for (auto &argument : arguments) {
            addresses.push_back(argument.data());
        }
        function->run(function->in_turns, grid.data(), block.data(), addresses.data());
    });
    return SUCCESS;
}

int nvrtcCreateProgram(void **program, const char *source, const char *, int, const char *const *, const char *const *) {
    *program = new Program{source, ""};
    return SUCCESS;
}

int nvrtcDestroyProgram(void **program) {
    delete static_cast<Program *>(*program);
    *program = nullptr;
    return SUCCESS;
}

int nvrtcCompileProgram(void *handle, int, const char *const *) {
    Guard guard(lock);
    auto *program = static_cast<Program *>(handle);
    std::string name = modules() + "/" + hash_of(program->source);
    if (access((name + ".ptx").c_str(), R_OK) != 0) {
        // As with modules, the last one's takes the place.
        std::string own = name + "." + std::to_string(getpid());
        std::ofstream(own + ".cu") << program->source;
        run_or_fail(quoted(folder() + "/nvcc") + " --ptx --output-file " + quoted(own + ".ptx") + " " + quoted(own + ".cu"));
        run_or_fail("mv " + quoted(own + ".ptx") + " " + quoted(name + ".ptx") + " && rm " + quoted(own + ".cu"));
    }
    program->text = read(name + ".ptx");
    return SUCCESS;
}

int nvrtcGetPTXSize(void *program, size_t *size) {
    *size = static_cast<Program *>(program)->text.size() + 1;
    return SUCCESS;
}

int nvrtcGetPTX(void *program, char *text) {
    const std::string &from = static_cast<Program *>(program)->text;
    memcpy(text, from.c_str(), from.size() + 1);
    return SUCCESS;
}

int nvrtcGetProgramLogSize(void *, size_t *size) {
    *size = 1;
    return SUCCESS;
}

int nvrtcGetProgramLog(void *, char *text) {
    *text = '\0';
    return SUCCESS;
}

}  // extern "C"
