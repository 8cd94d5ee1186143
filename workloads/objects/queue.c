/* SPDX-License-Identifier: MIT
 * queue.c - a linked queue: in at the tail, out at the head, as long as ever.
 *
 *   (dropped) o -> o -> [head] o -> o -> ... -> o [tail]
 *
 * A node that has left the queue still refers to the next one. Where collections look at young objects alone, and take
 * what old ones refer to for alive, one dead node that has grown old keeps its successor, which grows old and keeps
 * its own: nepotism; the whole past of the queue stays until a full collection. Counting is immune: the dead node
 * dies, and lets go, when it leaves.
 *
 * Exercises: births and deaths first in, first out, so that no generation is right; every node lives as long as the next.
 * Source: Ungar and Jackson, "Tenuring policies for generation-based storage reclamation", OOPSLA 1988 (nepotism); Jones,
 * Hosking and Moss, The Garbage Collection Handbook, on queues.
 * Not claimed: that queues of a program are linked so; many are rings in an array. size = nodes through the queue per unit,
 * length = live nodes, bytes = payload of each.
 */
#include "values.h"

enum { QUEUE_SIZE, QUEUE_LENGTH, QUEUE_BYTES };
enum { QUEUE_HEAD, QUEUE_TAIL, QUEUE_NEW, QUEUE_LOCALS };

typedef struct queue_state { local *frame; uint64_t put, taken; } queue_state;

typedef struct queued { object header; field next; uint64_t id; } queued;

static void queued_visit(object *self, field_visitor *visit, void *context) { visit(&((queued *)self)->next, context); }
static object_type queued_type = {.name = "queued", .bytes = sizeof(queued), .tracked = true, .visit = queued_visit};

static bool queue_put(mutator *m, queue_state *state) {
    local *frame = state->frame;
    if (!object_new(m, &frame[QUEUE_NEW], &queued_type, 0)) return false;
    ((queued *)frame[QUEUE_NEW].target)->id = state->put++;
    object *tail = frame[QUEUE_TAIL].target;
    if (tail != NULL) field_store(m, tail, &((queued *)tail)->next, frame[QUEUE_NEW].target);
    else local_set(m, &frame[QUEUE_HEAD], frame[QUEUE_NEW].target);
    local_swap(&frame[QUEUE_TAIL], &frame[QUEUE_NEW]);
    local_set(m, &frame[QUEUE_NEW], NULL);
    return true;
}

/* Whether the node came out in its turn. */
static bool queue_take(mutator *m, queue_state *state) {
    object *head = state->frame[QUEUE_HEAD].target;
    bool in_turn = ((queued *)head)->id == state->taken++;
    field_load(m, &state->frame[QUEUE_HEAD], head, &((queued *)head)->next);
    return in_turn;
}

static bool queue_prepare(workload_run *run) {
    queue_state *state = run->state = workload_map(sizeof *state);
    if (state == NULL) return false;
    type_with_payload(run, &queued_type, sizeof(queued), QUEUE_BYTES);
    state->frame = frame_open(run->mutator, QUEUE_LOCALS);
    for (int64_t i = 0; i < run->parameters[QUEUE_LENGTH]; i++)
        if (!queue_put(run->mutator, state)) return false;
    return true;
}

/* The checksum is how many came out in their turn. */
static bool queue_unit(workload_run *run) {
    for (int64_t i = 0; i < run->parameters[QUEUE_SIZE]; i++) {
        mutator_poll(run->mutator);
        run->checksum += queue_take(run->mutator, run->state);
        if (!queue_put(run->mutator, run->state)) return false;
    }
    run->moment(run, "queued");
    return true;
}

static void queue_finish(workload_run *run) {
    queue_state *state = run->state;
    if (state == NULL) return;
    frame_close(run->mutator, state->frame);
    workload_unmap(state, sizeof *state);
    run->state = NULL;
}

static unsigned queue_needs(const workload_run *run) { return run->threads > 1 ? COLLECTOR_THREADS : 0; }

static workload_operations queue_declare(const workload_run *run) {
    uint64_t size = (uint64_t)run->parameters[QUEUE_SIZE];
    return (workload_operations){.operations = size, .allocations = size,
                                 .bytes = size * (sizeof(queued) - sizeof(object) + (uint64_t)run->parameters[QUEUE_BYTES]),
                                 .references = 2 * size};
}

const workload queue_workload = {
    .name = "queue", .idea = "nodes pass through a linked queue: what has left refers to what is in",
    .operation = "node put in and taken out", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "nodes through the queue per unit", .value = 100000, .minimum = 1, .maximum = 100000000},
                   {.name = "length", .meaning = "live nodes", .value = 1000, .minimum = 2, .maximum = 100000000},
                   PAYLOAD_PARAMETER("node")},
    .needs = queue_needs, .declare = queue_declare,
    .prepare = queue_prepare, .unit = queue_unit, .finish = queue_finish,
};
