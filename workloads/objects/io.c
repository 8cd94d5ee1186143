/* SPDX-License-Identifier: MIT
 * io.c - one thread sleeps and wakes, or writes and reads a byte; all others compute without a pause.
 *
 *   kind=sleep   thread 0:  |detached: asleep ...|wakes|........ waits to be attached ........|  and again
 *                others:    | f f f f f f f f f f f f f f f f f f f f f f f f f f f f f f f f |
 *   kind=pipe    thread 0:  writes a byte into a pipe and reads it back, detached for each of the two calls
 *
 * Figures: latency_p50_ns, _p90_ns, _p99_ns, _p999_ns, _max_ns: of a wake-up, from when it was due until the thread runs
 * again; of a byte, from before its write until after its read. A percentile is said where ten lie above it.
 * computed_per_s: steps of each computing thread.
 *
 * Exercises: what a thread that asks little of the processor waits for the lock (the convoy), and whether who
 * computes lets it in. With one thread nobody is in its way: the floor.
 * Source: D. Beazley, "Understanding the Python GIL", PyCon 2010: the convoy effect; CPython issue 7946.
 * Not claimed: disks or networks; a pipe to oneself never blocks. size = wake-ups or bytes in a unit.
 */
#include <fcntl.h>
#include <unistd.h>

#include "latencies.h"
#include "meeting.h"
#include "values.h"

enum { IO_SIZE, IO_KIND, IO_SLEEP_US };
enum { IO_SLEEP, IO_PIPE };

typedef struct io_shared {
    pthread_barrier_t meeting;
    atomic_bool       over;             /* thread 0 has done its part: who computes may stop */
    int               pipe[2];          /* to read, to write */
    uint64_t          latency_ns[];
} io_shared;

static size_t io_shared_bytes(const workload_run *run) {
    return sizeof(io_shared) + (size_t)run->parameters[IO_SIZE] * sizeof(uint64_t);
}

static bool io_prepare(workload_run *run) {
    if (run->thread != 0) return true;
    io_shared *shared = *run->shared = workload_map(io_shared_bytes(run));
    if (shared == NULL) return false;
    meeting_open(&shared->meeting, run);
    shared->pipe[0] = shared->pipe[1] = -1;
    return pipe2(shared->pipe, O_CLOEXEC) == 0;
}

static void io_finish(workload_run *run) {
    io_shared *shared = *run->shared;
    if (run->thread != 0 || shared == NULL) return;
    for (int i = 0; i < 2; i++)
        if (shared->pipe[i] >= 0) close(shared->pipe[i]);
    pthread_barrier_destroy(&shared->meeting);
    workload_unmap(shared, io_shared_bytes(run));
    *run->shared = NULL;
}

/* --- thread 0 ----------------------------------------------------------------------------------------- */

static uint64_t io_sleep(workload_run *run) {
    uint64_t due_ns = latency_clock_ns() + (uint64_t)run->parameters[IO_SLEEP_US] * 1000;
    struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000), .tv_nsec = (long)(due_ns % 1000000000)};
    mutator_detach(run->mutator);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0) {}
    mutator_attach(run->mutator);
    run->checksum++;
    return latency_clock_ns() - due_ns;
}

static uint64_t io_echo(workload_run *run, const int *pipe) {
    uint64_t start_ns = latency_clock_ns();
    unsigned char byte = 1;
    mutator_detach(run->mutator);
    bool written = write(pipe[1], &byte, 1) == 1;
    mutator_attach(run->mutator);
    byte = 0;
    mutator_detach(run->mutator);
    bool came = written && read(pipe[0], &byte, 1) == 1;
    mutator_attach(run->mutator);
    run->checksum += came ? byte : 0;
    return latency_clock_ns() - start_ns;
}

static void io_wait_and_wake(workload_run *run, io_shared *shared) {
    static const latency_names names = LATENCY_NAMES("latency");
    int64_t size = run->parameters[IO_SIZE];
    for (int64_t i = 0; i < size; i++) {
        mutator_poll(run->mutator);
        shared->latency_ns[i] = run->parameters[IO_KIND] == IO_SLEEP ? io_sleep(run) : io_echo(run, shared->pipe);
    }
    atomic_store(&shared->over, true);
    latencies_say(run, &names, shared->latency_ns, size);
}

/* --- the others --------------------------------------------------------------------------------------- */

static bool io_compute(workload_run *run, io_shared *shared) {
    mutator *m = run->mutator;
    local *x = frame_open(m, 1);
    uint64_t steps = 0, start_ns = latency_clock_ns();
    bool made = true;
    for (; made && !atomic_load_explicit(&shared->over, memory_order_relaxed); steps++) {
        made = integer_new(m, x, INTEGER_LARGEST_SMALL + 1 + (int64_t)(steps & 1023));
        mutator_poll(m);
    }
    frame_close(m, x);
    run->figure(run, "computed_per_s", (double)steps * 1e9 / (double)(latency_clock_ns() - start_ns + 1));
    return made;
}

static bool io_unit(workload_run *run) {
    io_shared *shared = *run->shared;
    if (run->thread == 0) atomic_store(&shared->over, false);
    meeting_wait(&shared->meeting, run);
    bool done = true;
    if (run->thread != 0) done = io_compute(run, shared);
    else io_wait_and_wake(run, shared);
    meeting_wait(&shared->meeting, run);                /* all have seen that it is over */
    return done;
}

static unsigned io_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

/* Of thread 0, which alone is bound to a number. */
static workload_operations io_declare(const workload_run *run) {
    return (workload_operations){.operations = (uint64_t)run->parameters[IO_SIZE]};
}

const workload io_workload = {
    .name = "io", .idea = "one thread sleeps and wakes, or reads what it wrote, beside others that compute",
    .operation = "wake-up or byte, counted for each thread", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "wake-ups or bytes in a unit", .value = 100, .minimum = 1, .maximum = 1000000},
                   {.name = "kind", .meaning = "what thread 0 does", .choices = "sleep|pipe", .maximum = 1},
                   {.name = "sleep_us", .meaning = "microseconds that it sleeps", .value = 1000, .minimum = 1, .maximum = 10000000}},
    .needs = io_needs, .declare = io_declare,
    .prepare = io_prepare, .unit = io_unit, .finish = io_finish,
};
