/* SPDX-License-Identifier: MIT
 * gbench.cc - the only C++: hands Google Benchmark one call a run, and gives all of C++ the harness's memory.
 *
 * KeepRunningBatch(max_iterations) is true exactly once, so that the loop over iterations is the C side's own:
 * measured at 0.23 ns an iteration against 1.14 for a call each. Registering and running
 * a turn costs about 10 microseconds outside the measured region.
 * operator new is replaced for the whole process, libraries included: strings and vectors of Google Benchmark
 * must not come from the allocator under test.
 */
#include "gbench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <fstream>
#include <new>
#include <ostream>
#include <string>
#include <vector>

#include "own.h"

void *operator new(std::size_t bytes) { return own_alloc(bytes); }
void *operator new[](std::size_t bytes) { return own_alloc(bytes); }
void operator delete(void *block) noexcept { own_free(block); }
void operator delete[](void *block) noexcept { own_free(block); }
void operator delete(void *block, std::size_t) noexcept { own_free(block); }
void operator delete[](void *block, std::size_t) noexcept { own_free(block); }

namespace {

struct quiet_reporter : benchmark::BenchmarkReporter {
    quiet_reporter() { SetOutputStream(&nowhere); SetErrorStream(&nowhere); }
    bool ReportContext(const Context &) override { return true; }
    void ReportRuns(const std::vector<Run> &) override {}
    std::ostream nowhere{nullptr};
};

benchmark::internal::Benchmark *gbench_register(const char *label, uint64_t operations, gbench_work *work,
                                                void *context) {
    auto body = [=](benchmark::State &state) {
        while (state.KeepRunningBatch(state.max_iterations)) {
            double seconds = work(context, static_cast<uint64_t>(state.max_iterations));
            if (seconds < 0) {
                state.SkipWithError("a request for memory was refused");
                break;
            }
            state.SetIterationTime(seconds);
        }
        state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(operations));
    };
    benchmark::ClearRegisteredBenchmarks();
    return benchmark::RegisterBenchmark(label, body)->UseManualTime();
}

/* Flags as main would get them, for Google Benchmark to take out what it knows; returns the first one that it does
 * not. */
const char *gbench_initialize(const std::vector<std::string> &flags) {
    std::vector<char *> arguments;
    for (const std::string &flag : flags)
        arguments.push_back(const_cast<char *>(flag.c_str()));
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
    return count > 1 ? arguments[1] : nullptr;
}

/* A wrong word here would make Google Benchmark print its help and end the process with status 0. */
bool gbench_word_known(const std::string &flag) {
    static const std::vector<std::string> names{"--benchmark_format=", "--benchmark_out_format="};
    static const std::vector<std::string> words{"console", "json", "csv"};
    for (const std::string &name : names)
        if (flag.rfind(name, 0) == 0)
            return std::find(words.begin(), words.end(), flag.substr(name.size())) != words.end();
    return true;
}

/* Nor may it meet a file that it cannot write: status 1, after a while. */
bool gbench_writable(const std::string &flag) {
    static const std::string out = "--benchmark_out=";
    if (flag.rfind(out, 0) != 0)
        return true;
    std::ofstream file(flag.substr(out.size()), std::ios::app);
    return file.is_open();
}

}  // namespace

void gbench_turn(const char *label, uint64_t iterations, gbench_work *work, void *context) {
    static quiet_reporter quiet;
    gbench_register(label, 1, work, context)
        ->Iterations(static_cast<benchmark::IterationCount>(iterations))
        ->Repetitions(1);
    benchmark::RunSpecifiedBenchmarks(&quiet, ".");
}

gbench_end gbench_flags(const char *label, uint64_t operations_per_iteration, int count, char **flags,
                        gbench_work *work, void *context, const char **wrong) {
    static std::vector<std::string> given{"refarena"}, listing;     /* *wrong points into them */
    given.insert(given.end(), flags, flags + count);

    for (const std::string &flag : given)
        if (!gbench_word_known(*wrong = flag.c_str()))
            return GBENCH_BAD_FLAG;

    /* A filter that matches nothing would leave an empty output file behind: ask first what it matches,
     * without a file. */
    for (const std::string &flag : given)
        if (flag.rfind("--benchmark_out", 0) != 0)
            listing.push_back(flag);
    listing.push_back("--benchmark_list_tests=true");
    gbench_register(label, operations_per_iteration, work, context);
    if ((*wrong = gbench_initialize(listing)))
        return GBENCH_BAD_FLAG;
    quiet_reporter quiet;
    if (benchmark::RunSpecifiedBenchmarks(&quiet) == 0)
        return GBENCH_NO_MATCH;

    for (const std::string &flag : given)
        if (!gbench_writable(*wrong = flag.c_str()))
            return GBENCH_UNWRITABLE;
    given.insert(given.begin() + 1, "--benchmark_list_tests=false");
    if ((*wrong = gbench_initialize(given)))
        return GBENCH_BAD_FLAG;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return GBENCH_DONE;
}
