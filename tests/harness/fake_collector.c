/* SPDX-License-Identifier: MIT
 * fake_collector.c - a collector that checks the harness's manners.
 *
 * It holds a lock as a GIL would: a mutator that is attached while it waits for orders would block all others
 * for good. It aborts when entries are called in an order that linked.h forbids.
 * (I1) open and close alternate; close finds no mutator.
 * (I2) A mutator runs a unit only while it is attached, and leaves attached.
 */
#include "fake_collector.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "../../collectors/pause.h"

struct mutator { bool attached, used; };

enum { FAKE_MUTATORS = 64 };

static struct {
    const allocator *memory;
    pthread_mutex_t  gil, lock;
    mutator          mutators[FAKE_MUTATORS];
    unsigned         entered;
    uint64_t         born, collections;
} fake = { .gil = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER };

static collector_option fake_options[] = {
    { "frees", "1: an object dies at once; 0: never", 1, 0, 1 },
    { "threshold", "objects between collections", 700, 1, 1000000 },
    { "pause_ms", "that each unit pauses, as for a full collection with a cascade in it", 0, 0, 60000 },
    { "gil_ms", "and then, as for a global lock", 0, 0, 60000 },
    { NULL, NULL, 0, 0, 0 },
};

static void fake_require(bool condition) {
    if (!condition)
        abort();
}

static bool fake_open(const allocator *memory) {
    fake_require(fake.memory == NULL);
    fake.memory = memory;
    return true;
}

static void fake_close(void) {
    fake_require(fake.memory != NULL && fake.entered == 0);
    fake.memory = NULL;
}

static void fake_attach(mutator *m) {
    fake_require(!m->attached);
    pthread_mutex_lock(&fake.gil);
    m->attached = true;
}

static void fake_detach(mutator *m) {
    fake_require(m->attached);
    m->attached = false;
    pthread_mutex_unlock(&fake.gil);
}

static mutator *fake_enter(void) {
    mutator *m = NULL;
    pthread_mutex_lock(&fake.lock);
    for (int i = 0; i < FAKE_MUTATORS && m == NULL; i++)
        if (!fake.mutators[i].used)
            m = &fake.mutators[i];
    m->used = true;
    fake.entered++;
    pthread_mutex_unlock(&fake.lock);
    fake_attach(m);
    return m;
}

static void fake_leave(mutator *m) {
    fake_detach(m);
    pthread_mutex_lock(&fake.lock);
    m->used = false;
    fake.entered--;
    pthread_mutex_unlock(&fake.lock);
}

static size_t fake_collect(mutator *m, int generation) {
    (void)m, (void)generation;
    return 0;
}

static void fake_stats(collector_stats *stats) {
    *stats = (collector_stats){ .collections = { fake.collections }, .born = fake.born };
}

static bool fake_reachable(uint64_t *objects, uint64_t *bytes) {
    for (int i = 1; i < FAKE_MUTATORS; i++)
        fake_require(!fake.mutators[i].attached);
    *objects = 3;
    *bytes = 300;
    return true;
}

static void fake_check(void) {}

static void fake_pause(pause_kind kind, int64_t ms) {
    if (ms == 0)
        return;
    pause_begin();
    pause_begin();
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
    pause_end(PAUSE_CASCADE);
    pause_end(kind);
}

bool fake_collector_unit(workload_run *run) {
    fake_require(run->mutator->attached);
    fake_pause(PAUSE_FULL, fake_options[2].value);
    fake_pause(PAUSE_GIL, fake_options[3].value);
    void *object = fake.memory->alloc(100, 16);
    fake.born++;
    fake.collections++;
    run->checksum += 42;
    if (object && fake_options[0].value)
        fake.memory->release(object, 100);
    return object != NULL;
}

static bool fake_generations(uint64_t *tracked) {
    (void)tracked;
    return false;
}

const collector linked_collector = {
    .name = "fake", .idea = "checks the harness's manners", .counts = "none", .loads = "none", .cycles = "fake",
    .threads = "gil", .abilities = COLLECTOR_FREES | COLLECTOR_EXACT_COUNTS | COLLECTOR_THREADS,
    .allocator_use = COLLECTOR_USES_OBJECTS, .header_bytes = 16, .tracked_header_bytes = 32, .options = fake_options,
    .open = fake_open, .close = fake_close, .enter = fake_enter, .leave = fake_leave, .detach = fake_detach,
    .attach = fake_attach, .collect = fake_collect, .stats = fake_stats, .reachable = fake_reachable,
    .generations = fake_generations,
    .check = fake_check,
};
