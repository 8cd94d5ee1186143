/* SPDX-License-Identifier: MIT
 * chain.c - a -> b -> c -> ...: build a chain, walk it, drop its head, and watch the dominoes fall.
 *
 * Exercises: births in order, and one cascade of deaths as long as the chain.
 * Source: the domino scene of talks on reference counting; Boehm, "The space cost of lazy reference
 * counting", POPL 2004, on why eager cascades pause.
 * Not claimed: that chains of this length are common. size = links of the chain, bytes = payload of each.
 */
#include "values.h"

enum { CHAIN_SIZE, CHAIN_BYTES };

typedef struct link { object header; field next; uint64_t id; } link;

static void link_visit(object *self, field_visitor *visit, void *context) { visit(&((link *)self)->next, context); }
static object_type link_type = {.name = "link", .bytes = sizeof(link), .tracked = true, .visit = link_visit};

static bool chain_build(mutator *m, local *head, int64_t size) {
    local *frame = frame_open(m, 1);
    bool made = true;
    for (int64_t i = 0; made && i < size; i++) {
        mutator_poll(m);
        made = object_new(m, frame, &link_type, 0);
        if (!made) break;
        ((link *)frame->target)->id = (uint64_t)i;
        field_store(m, frame->target, &((link *)frame->target)->next, head->target);
        local_set(m, head, frame->target);
    }
    frame_close(m, frame);
    return made;
}

static uint64_t chain_walk(object *head) {      /* borrowed all the way: no call of the contract */
    uint64_t checksum = 0;
    for (; head != NULL; head = field_peek(&((link *)head)->next))
        checksum = checksum * 31 + ((link *)head)->id;
    return checksum;
}

static bool chain_unit(workload_run *run) {
    local *head = frame_open(run->mutator, 1);
    bool made = chain_build(run->mutator, head, run->parameters[CHAIN_SIZE]);
    if (made) run->checksum += chain_walk(head->target);
    run->moment(run, "built");
    frame_close(run->mutator, head);
    run->moment(run, "dropped");
    return made;
}

static bool chain_prepare(workload_run *run) {
    type_with_payload(run, &link_type, sizeof(link), CHAIN_BYTES);
    return true;
}
static void chain_finish(workload_run *run) { (void)run; }
static unsigned chain_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations chain_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[CHAIN_SIZE];
    return (workload_operations){.operations = size, .allocations = size,
                                 .bytes = size * (sizeof(link) - sizeof(object) + (uint64_t)run->parameters[CHAIN_BYTES]),
                                 .references = 2 * size - 1};
}

const workload chain_workload = {
    .name = "chain", .idea = "a chain is built and its head dropped: one cascade of deaths",
    .operation = "link built and dropped", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "links", .value = 100000, .minimum = 1, .maximum = 100000000},
                   PAYLOAD_PARAMETER("link")},
    .needs = chain_needs, .declare = chain_declare,
    .prepare = chain_prepare, .unit = chain_unit, .finish = chain_finish,
};
