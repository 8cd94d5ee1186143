/* SPDX-License-Identifier: MIT
 * larson.c - a server: each thread replaces blocks at random, then hands all of them to its successor.
 *
 *     thread 0   shelf 0 | shelf 1 | shelf 2       a round each; then the next shelf, when who had it is done with it.
 *     thread 1   shelf 1 | shelf 2 | shelf 0       A unit is as many rounds as threads: all shelves are home again.
 *
 * Exercises: remote frees at steady live bytes. The blocks that live at a hand-over, one a slot, were made by another
 * thread than the one that releases them: of all releases a `times`-th part is remote, and with one thread none.
 * Source: Larson & Krishnan, Memory allocation for long-running server applications, ISMM 1998: requests outlive the
 * thread that began them; their benchmark passes the table of a dying thread to a new one. Sizes uniform, as there.
 * Not claimed: that sizes are uniform in servers (churn.c and replay.c have real ones); nor the cost of starting
 * threads, which is spawn.c.
 * size = live blocks per thread, smallest and largest = bytes, times = replacements of a slot in a round.
 *
 * (I1) Between units, shelf i is as thread i made it, whoever made its blocks last.
 */
#include "crowd.h"
#include "rota.h"

enum { LARSON_SIZE, LARSON_SMALLEST, LARSON_LARGEST, LARSON_TIMES };

typedef struct larson_shelf {
    crowd_count served;         /* rounds, by whomever */
    rota       *live;
} larson_shelf;

typedef struct larson_server {
    crowd        threads;
    larson_shelf shelves[];
} larson_server;

typedef struct larson_thread { uint64_t rounds; } larson_thread;    /* worked so far */

static unsigned larson_needs(const workload_run *run) {
    (void)run;
    return 0;
}

static void larson_sizes(const workload_run *run, uint16_t sizes[ROTA_POINTS]) {
    int64_t smallest = run->parameters[LARSON_SMALLEST], largest = run->parameters[LARSON_LARGEST];
    for (int64_t i = 0; i < ROTA_POINTS; i++)
        sizes[i] = (uint16_t)(smallest + (largest - smallest) * i / (ROTA_POINTS - 1));
}

static workload_operations larson_declare(const workload_run *run) {
    uint16_t sizes[ROTA_POINTS];
    larson_sizes(run, sizes);
    uint64_t steps = (uint64_t)(run->parameters[LARSON_SIZE] * run->parameters[LARSON_TIMES]);
    return (workload_operations){.operations = steps * run->threads, .allocations = steps * run->threads,
                                 .bytes = rota_bytes(sizes, run->seed, steps) * run->threads};
}

static size_t larson_server_bytes(const workload_run *run) {
    return sizeof(larson_server) + run->threads * sizeof(larson_shelf);
}

static bool larson_open(workload_run *run) {
    larson_server *server = *run->shared = workload_map(larson_server_bytes(run));
    if (server) crowd_start(&server->threads);
    return server != NULL;
}

static bool larson_prepare(workload_run *run) {
    uint16_t sizes[ROTA_POINTS];
    if (!slot_range(run, run->parameters[LARSON_SMALLEST], run->parameters[LARSON_LARGEST])) return false;
    if (run->thread == 0 && !larson_open(run)) return false;
    larson_server *server = *run->shared;
    run->state = workload_map(sizeof(larson_thread));
    larson_sizes(run, sizes);
    return run->state && rota_make(run, &server->shelves[run->thread].live, sizes, (uint32_t)run->parameters[LARSON_SIZE],
                                   (uint32_t)run->parameters[LARSON_TIMES], run->thread);
}

static bool larson_round(workload_run *run, larson_server *server, larson_shelf *shelf, uint64_t round) {
    if (!crowd_await(&server->threads, &shelf->served, round)) return false;
    if (!rota_turn(run, shelf->live)) return crowd_break(&server->threads);
    crowd_add(&server->threads, &shelf->served);
    return true;
}

static bool larson_unit(workload_run *run) {
    larson_server *server = *run->shared;
    larson_thread *self = run->state;
    for (unsigned i = 0; i < run->threads; i++) {
        larson_shelf *shelf = &server->shelves[(run->thread + i) % run->threads];
        if (!larson_round(run, server, shelf, self->rounds++)) return false;
    }
    run->moment(run, "steady");
    return true;
}

static void larson_finish(workload_run *run) {
    larson_server *server = *run->shared;
    if (server) rota_drop(run, server->shelves[run->thread].live);
    workload_unmap(run->state, sizeof(larson_thread));
    run->state = NULL;
    run->live_bytes = 0;
    if (run->thread > 0) return;
    workload_unmap(server, larson_server_bytes(run));
    *run->shared = NULL;
}

const workload larson_workload = {
    .name = "larson", .idea = "a server: blocks replaced at random, then handed to the next thread (Larson and Krishnan)",
    .operation = "replacement", .kind = WORKLOAD_ON_BLOCKS, .threaded = true,
    .parameters = {
        [LARSON_SIZE]     = {.name = "size", .meaning = "live blocks per thread", .value = 4000, .minimum = 1, .maximum = 1000000},
        [LARSON_SMALLEST] = {.name = "smallest", .meaning = "bytes of the smallest block", .value = 16, .minimum = 1, .maximum = 32768},
        [LARSON_LARGEST]  = {.name = "largest", .meaning = "bytes of the largest block", .value = 512,
                             .minimum = 1, .maximum = 32768},
        [LARSON_TIMES]    = {.name = "times", .meaning = "replacements of each slot before the hand-over", .value = 2,
                             .minimum = 1, .maximum = 1000},
    },
    .needs = larson_needs, .declare = larson_declare,
    .prepare = larson_prepare, .unit = larson_unit, .finish = larson_finish,
};
