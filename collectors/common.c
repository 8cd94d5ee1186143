/* SPDX-License-Identifier: MIT
 * common.c - what every collector shares: the list of mutators, and the oracle of reachability.
 *
 * The oracle finds what can be reached from the roots with a hash set of its own, so that it works on
 * any collector, says the same on all, and changes nothing in the heap.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "collector.h"
#include "mutator.h"

static struct {
    pthread_mutex_t lock;
    mutator        *first;
    collector_stats departed;           /* what was born and has died, by those that left */
} mutators = {.lock = PTHREAD_MUTEX_INITIALIZER};

static mutator_base *base(mutator *m) { return (mutator_base *)m; }

void *collector_map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void collector_unmap(void *memory, size_t bytes) {
    if (memory != NULL) munmap(memory, bytes);
}

mutator *mutator_create(size_t bytes) {
    mutator *m = collector_map(bytes);
    local *stack = collector_map(MUTATOR_LOCALS * sizeof(local));
    if (m == NULL || stack == NULL) {
        collector_unmap(m, bytes);
        collector_unmap(stack, MUTATOR_LOCALS * sizeof(local));
        return NULL;
    }
    base(m)->stack = base(m)->top = stack;
    base(m)->limit = stack + MUTATOR_LOCALS;
    pthread_mutex_lock(&mutators.lock);
    base(m)->next = mutators.first;
    base(m)->link = &mutators.first;
    if (mutators.first != NULL) base(mutators.first)->link = &base(m)->next;
    mutators.first = m;
    pthread_mutex_unlock(&mutators.lock);
    return m;
}

static void mutator_add(collector_stats *to, const mutator_base *of) {
    to->born += of->born;
    to->died += of->died;
    to->born_bytes += of->born_bytes;
    to->died_bytes += of->died_bytes;
}

void mutator_destroy(mutator *m, size_t bytes) {
    pthread_mutex_lock(&mutators.lock);
    *base(m)->link = base(m)->next;
    if (base(m)->next != NULL) base(base(m)->next)->link = base(m)->link;
    mutator_add(&mutators.departed, base(m));
    pthread_mutex_unlock(&mutators.lock);
    collector_unmap(base(m)->stack, MUTATOR_LOCALS * sizeof(local));
    collector_unmap(m, bytes);
}

void mutator_sum(collector_stats *stats) {
    pthread_mutex_lock(&mutators.lock);
    stats->born = mutators.departed.born;
    stats->died = mutators.departed.died;
    stats->born_bytes = mutators.departed.born_bytes;
    stats->died_bytes = mutators.departed.died_bytes;
    for (mutator *m = mutators.first; m != NULL; m = base(m)->next)
        mutator_add(stats, base(m));
    pthread_mutex_unlock(&mutators.lock);
}

void mutator_forget_departed(void) { mutators.departed = (collector_stats){0}; }

void mutator_each(void (*visit)(mutator *m, void *context), void *context) {
    pthread_mutex_lock(&mutators.lock);
    for (mutator *m = mutators.first; m != NULL; m = base(m)->next)
        visit(m, context);
    pthread_mutex_unlock(&mutators.lock);
}

void mutator_each_local(void (*visit)(local *l, void *context), void *context) {
    pthread_mutex_lock(&mutators.lock);
    for (mutator *m = mutators.first; m != NULL; m = base(m)->next)
        for (local *l = base(m)->stack; l < base(m)->top; l++)
            visit(l, context);
    pthread_mutex_unlock(&mutators.lock);
}

/* --- the oracle ------------------------------------------------------------------------------------
 * `seen` is an open-addressed set at most half full; `queue` lists its members in the order they were
 * found, so that queue[next..found) is what still has to be visited. */
typedef struct oracle {
    object **seen, **queue;
    size_t   slots, found, next;
    bool     refused;
} oracle;

static size_t oracle_slot(const oracle *this, const object *o) {
    size_t i = ((uintptr_t)o >> 4) * 0x9E3779B97F4A7C15u & (this->slots - 1);     /* Fibonacci hashing, Knuth 6.4 */
    while (this->seen[i] != NULL && this->seen[i] != o)
        i = (i + 1) & (this->slots - 1);
    return i;
}

static void oracle_free(oracle *this) {
    collector_unmap(this->seen, this->slots * sizeof(object *));
    collector_unmap(this->queue, this->slots / 2 * sizeof(object *));
}

static bool oracle_grow(oracle *this) {
    oracle larger = {.slots = this->slots ? this->slots * 2 : 1 << 16, .found = this->found, .next = this->next};
    larger.seen = collector_map(larger.slots * sizeof(object *));
    larger.queue = collector_map(larger.slots / 2 * sizeof(object *));
    if (larger.seen == NULL || larger.queue == NULL) {
        oracle_free(&larger);
        return false;
    }
    for (size_t i = 0; i < this->found; i++) {
        larger.queue[i] = this->queue[i];
        larger.seen[oracle_slot(&larger, this->queue[i])] = this->queue[i];
    }
    oracle_free(this);
    *this = larger;
    return true;
}

static void oracle_find(oracle *this, object *o) {
    if (o == NULL || this->refused) return;
    if (this->found == this->slots / 2 && !oracle_grow(this)) {
        this->refused = true;
        return;
    }
    size_t i = oracle_slot(this, o);
    if (this->seen[i] != NULL) return;
    this->seen[i] = this->queue[this->found++] = o;
}

static void oracle_find_local(local *l, void *context) { oracle_find(context, l->target); }
static void oracle_find_field(field *f, void *context) { oracle_find(context, field_peek(f)); }

bool mutator_reachable(uint64_t *objects, uint64_t *bytes) {
    oracle this = {0};
    *objects = *bytes = 0;
    mutator_each_local(oracle_find_local, &this);
    collector_globals()->type->visit(collector_globals(), oracle_find_field, &this);
    while (this.next < this.found && !this.refused) {
        object *o = this.queue[this.next++];
        ++*objects;
        *bytes += object_payload_bytes(o);
        o->type->visit(o, oracle_find_field, &this);
    }
    oracle_free(&this);
    return !this.refused;
}

bool mutator_no_generations(uint64_t *tracked) {
    (void)tracked;
    return false;
}

void object_visit_nothing(object *self, field_visitor *visit, void *context) {
    (void)self, (void)visit, (void)context;
}

int64_t collector_option_value(const char *name) {
    const collector_option *option = linked_collector.options;
    while (option->name != NULL && strcmp(option->name, name) != 0)
        option++;
    assert(option->name != NULL);
    return option->value;
}

/* --- globals --------------------------------------------------------------------------------------- */
typedef struct globals { object header; field names[COLLECTOR_GLOBALS]; } globals;

static void globals_visit(object *self, field_visitor *visit, void *context) {
    fields_visit(((globals *)self)->names, COLLECTOR_GLOBALS, visit, context);
}

static const object_type globals_type = {.name = "globals", .bytes = sizeof(globals), .visit = globals_visit};
static globals globals_object = {.header = OBJECT_STATIC(globals_type)};

object *collector_globals(void) { return &globals_object.header; }
field *collector_global(unsigned name) {
    assert(name < COLLECTOR_GLOBALS);
    return &globals_object.names[name];
}
