/* SPDX-License-Identifier: MIT
 * fake_workload.c - workloads that do on purpose what the harness must notice.
 *
 * `fake` runs on blocks and misbehaves by its parameters; `fake_objects` does the same little on the fake
 * collector of fake_collector.c, so that the harness is tested alone, without any real backend's behaviour.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fake_collector.h"
#include "../../workloads/workload.h"

/* As they stand in the list of parameters. */
enum { FAKE_BYTES, FAKE_LEAK, FAKE_MISCOUNT, FAKE_FAIL, FAKE_DIFFER, FAKE_SLEEP_MS, FAKE_MODE, FAKE_FILE };

/* Choices of FAKE_MODE. */
enum { FAKE_PLAIN, FAKE_WHY, FAKE_CRASH, FAKE_REFUSE_PREPARE, FAKE_BEHIND };

enum { FAKE_BLOCKS = 64, FAKE_BLOCK_BYTES = 100 };

typedef struct fake_state {
    char    *held;                  /* FAKE_BYTES, every page touched */
    int64_t  unit;                  /* units done */
} fake_state;

#define FAKE_PARAMETERS { \
    { "bytes",    "held and touched from prepare to finish", 0, 0, INT64_C(1) << 40, NULL, NULL }, \
    { "leak",     "bytes kept by each unit",                 0, 0, 1 << 30, NULL, NULL }, \
    { "miscount", "allocations declared and not made",       0, 0, 1 << 20, NULL, NULL }, \
    { "fail",     "the unit that is refused, from 1; 0: none", 0, 0, 1 << 30, NULL, NULL }, \
    { "differ",   "the unit with another checksum; 0: none", 0, 0, 1 << 30, NULL, NULL }, \
    { "sleep_ms", "that a unit sleeps",                      0, 0, 60000, NULL, NULL }, \
    { "mode",     "what prepare does", FAKE_PLAIN, 0, 4, "plain|why|crash|refuse|behind", NULL }, \
    { "file",     "name of a file that is not read", 0, 0, 0, NULL, "none.trace" }, \
}

static unsigned fake_needs(const workload_run *run) {
    return run->program->kind == WORKLOAD_ON_OBJECTS ? COLLECTOR_EXACT_COUNTS | COLLECTOR_FREES_CYCLES : 0;
}

static workload_operations fake_declare(const workload_run *run) {
    uint64_t made = run->program->kind == WORKLOAD_ON_OBJECTS ? 1 : FAKE_BLOCKS;
    uint64_t declared = made + (uint64_t)run->parameters[FAKE_MISCOUNT];
    return (workload_operations){ .operations = FAKE_BLOCKS, .allocations = declared,
                                  .bytes = declared * FAKE_BLOCK_BYTES };
}

/* Memory right behind the zeroed data of this program, where the kernel may place anybody's. NULL: something is there. */
static char *fake_behind(size_t bytes) {
    extern char end[];                                              /* of the linker: end(3) */
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *wanted = (void *)(((uintptr_t)end + page_bytes - 1) / page_bytes * page_bytes);
    void *given = mmap(wanted, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (given != MAP_FAILED && given != wanted)                     /* by a kernel that does not know the flag */
        munmap(given, bytes);
    return given == wanted ? given : NULL;
}

static bool fake_hold(workload_run *run, fake_state *state) {
    size_t bytes = (size_t)run->parameters[FAKE_BYTES];
    bool behind = run->parameters[FAKE_MODE] == FAKE_BEHIND;
    if (bytes == 0)
        return true;
    state->held = behind ? fake_behind(bytes) : run->memory->alloc(bytes, 16);
    if (state->held == NULL) {
        if (behind)
            snprintf(run->why, sizeof run->why, "planted: something lies right behind the zeroed data");
        return false;
    }
    for (size_t at = 0; at < bytes; at += 4096)
        *(volatile char *)(state->held + at) = 1;
    run->live_bytes += bytes;
    return true;
}

static bool fake_prepare(workload_run *run) {
    if (run->parameters[FAKE_MODE] == FAKE_WHY)
        snprintf(run->why, sizeof run->why, "%s: planted: the file is damaged at byte 7", run->file);
    if (run->parameters[FAKE_MODE] == FAKE_CRASH)
        raise(SIGSEGV);
    if (run->parameters[FAKE_MODE] == FAKE_WHY || run->parameters[FAKE_MODE] == FAKE_REFUSE_PREPARE)
        return false;
    run->state = workload_map(sizeof(fake_state));
    return run->state != NULL && fake_hold(run, run->state);
}

static bool fake_blocks(workload_run *run) {
    void *blocks[FAKE_BLOCKS];
    for (int i = 0; i < FAKE_BLOCKS; i++) {
        blocks[i] = run->memory->alloc(FAKE_BLOCK_BYTES, 16);
        if (blocks[i] == NULL) {
            while (i > 0)
                run->memory->release(blocks[--i], FAKE_BLOCK_BYTES);
            return false;
        }
        memset(blocks[i], i, FAKE_BLOCK_BYTES);
    }
    for (int i = 0; i < FAKE_BLOCKS; i++) {
        run->checksum += *(volatile unsigned char *)blocks[i];
        run->memory->release(blocks[i], FAKE_BLOCK_BYTES);
    }
    return true;
}

static bool fake_leak(workload_run *run) {
    size_t bytes = (size_t)run->parameters[FAKE_LEAK];
    char *kept = bytes ? run->memory->alloc(bytes, 16) : NULL;
    for (size_t at = 0; kept && at < bytes; at += 512)
        *(volatile char *)(kept + at) = 1;
    return bytes == 0 || kept;
}

static bool fake_unit(workload_run *run) {
    fake_state *state = run->state;
    int64_t sleep_ms = run->parameters[FAKE_SLEEP_MS];
    if (++state->unit == run->parameters[FAKE_FAIL])
        return false;
    if (sleep_ms)
        nanosleep(&(struct timespec){ sleep_ms / 1000, sleep_ms % 1000 * 1000000 }, NULL);
    if (!(run->program->kind == WORKLOAD_ON_OBJECTS ? fake_collector_unit(run) : fake_blocks(run)) || !fake_leak(run))
        return false;
    run->checksum += state->unit == run->parameters[FAKE_DIFFER];
    run->moment(run, "working");
    run->figure(run, "unit", (double)state->unit);
    return true;
}

static void fake_finish(workload_run *run) {
    fake_state *state = run->state;
    if (state == NULL)
        return;
    if (state->held && run->parameters[FAKE_MODE] == FAKE_BEHIND)
        munmap(state->held, (size_t)run->parameters[FAKE_BYTES]);
    else if (state->held)
        run->memory->release(state->held, (size_t)run->parameters[FAKE_BYTES]);
    run->live_bytes = 0;
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static const workload fake_workload = {
    .name = "fake", .idea = "misbehaves as told", .operation = "block", .kind = WORKLOAD_ON_BLOCKS,
    .threaded = true, .parameters = FAKE_PARAMETERS, .needs = fake_needs, .declare = fake_declare,
    .prepare = fake_prepare, .unit = fake_unit, .finish = fake_finish,
};

static const workload fake_objects_workload = {
    .name = "fake_objects", .idea = "misbehaves as told, on the fake collector", .operation = "object",
    .kind = WORKLOAD_ON_OBJECTS, .threaded = true, .parameters = FAKE_PARAMETERS,
    .needs = fake_needs, .declare = fake_declare, .prepare = fake_prepare, .unit = fake_unit, .finish = fake_finish,
};

static const workload fake_single_workload = {
    .name = "fake_single", .idea = "one thread only", .operation = "block", .kind = WORKLOAD_ON_BLOCKS,
    .parameters = FAKE_PARAMETERS, .needs = fake_needs, .declare = fake_declare, .prepare = fake_prepare,
    .unit = fake_unit, .finish = fake_finish,
};

const workload *const linked_workloads[] = {
    &fake_workload, &fake_objects_workload, &fake_single_workload, NULL,
};
