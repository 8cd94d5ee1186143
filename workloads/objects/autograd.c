/* SPDX-License-Identifier: MIT
 * autograd.c - y = square(square(square(x))), then y.backward(): a graph of Variables and Functions.
 *
 *   x <-- inputs -- f1 -- outputs --> a <-- inputs -- f2 -- outputs --> b <-- f3 --> y
 *                    ^------ creator --'     ^------- creator --'
 *
 * A Variable knows the Function that made it, and a Function its outputs: with strong references every
 * pair is a cycle, and counting alone keeps all arrays for ever; with weak references to the outputs the
 * whole graph dies the moment y is forgotten.
 * Exercises: 13 tracked objects and 7 large buffers per iteration; cycles, or weak references.
 * Source: DeZero (K. Saito, "Deep Learning from Scratch 3"), step 17, with the backward pass of step 16.
 * Not claimed: NumPy's speed. size = float64 elements of an array, iterations = per unit.
 */
#include "values.h"

enum { AUTOGRAD_SIZE, AUTOGRAD_ITERATIONS, AUTOGRAD_OUTPUTS };
enum { AUTOGRAD_STRONG, AUTOGRAD_WEAK };
enum { AUTOGRAD_LAYERS = 3 };

typedef struct variable {
    object    header;
    field     data, grad, creator;      /* array, array or NULL, function or NULL */
    int64_t   generation;               /* of its creator, plus one */
    weak_list weak;
} variable;

typedef struct function {
    object  header;
    field   inputs, outputs;            /* tuple of Variables; list of Variables or weak references to them */
    int64_t generation;
} function;

static variable *as_variable(object *o) { return (variable *)o; }
static function *as_function(object *o) { return (function *)o; }

static void variable_visit(object *self, field_visitor *visit, void *context) {
    visit(&as_variable(self)->data, context);
    visit(&as_variable(self)->grad, context);
    visit(&as_variable(self)->creator, context);
}
static const object_type variable_type = {.name = "Variable", .bytes = sizeof(variable), .tracked = true,
                                          .visit = variable_visit, .weak_list_offset = offsetof(variable, weak)};

static void function_visit(object *self, field_visitor *visit, void *context) {
    visit(&as_function(self)->inputs, context);
    visit(&as_function(self)->outputs, context);
}
static const object_type function_type = {.name = "Function", .bytes = sizeof(function), .tracked = true,
                                          .visit = function_visit};

/* l = Variable(data) */
static bool variable_new(mutator *m, local *l, local *data) {
    if (!object_new(m, l, &variable_type, 0)) return false;
    field_store(m, l->target, &as_variable(l->target)->data, data->target);
    return true;
}

/* The Function's one output, strong or through a weak reference. */
static bool autograd_remember_output(mutator *m, local *outputs, local *output, local *scratch, bool weak) {
    if (!weak) return list_append(m, outputs, output->target);
    return weak_new(m, scratch, output->target, NULL, NULL) && list_append(m, outputs, scratch->target);
}
static void autograd_load_output(mutator *m, local *l, object *f, bool weak) {
    object *outputs = field_peek(&as_function(f)->outputs);
    field_load(m, l, outputs, &list_items(outputs)[0]);
    if (weak) weak_get(m, l, l->target);
}

/* y = square(x), remembering how it was made. */
static bool autograd_square(mutator *m, local *x, local *y, bool weak) {
    enum { DATA, FUNCTION, INPUTS, OUTPUTS, SCRATCH, LOCALS };
    local *frame = frame_open(m, LOCALS);
    size_t count = array_count(field_peek(&as_variable(x->target)->data));
    bool made = array_new(m, &frame[DATA], count);
    if (made) {
        const double *from = array_items(field_peek(&as_variable(x->target)->data));
        double *to = array_items(frame[DATA].target);
        for (size_t i = 0; i < count; i++)
            to[i] = from[i] * from[i];
        int64_t generation = as_variable(x->target)->generation;
        made = object_new(m, &frame[FUNCTION], &function_type, 0) && tuple_new(m, &frame[INPUTS], 1) &&
               list_new(m, &frame[OUTPUTS]);
        if (made) {
            as_function(frame[FUNCTION].target)->generation = generation;
            field_store(m, frame[INPUTS].target, &tuple_items(frame[INPUTS].target)[0], x->target);
            made = variable_new(m, y, &frame[DATA]);
        }
        if (made) {
            object *f = frame[FUNCTION].target;
            field_store(m, y->target, &as_variable(y->target)->creator, f);
            as_variable(y->target)->generation = generation + 1;
            field_store(m, f, &as_function(f)->inputs, frame[INPUTS].target);
            made = autograd_remember_output(m, &frame[OUTPUTS], y, &frame[SCRATCH], weak);
            f = frame[FUNCTION].target;
            if (made) field_store(m, f, &as_function(f)->outputs, frame[OUTPUTS].target);
        }
    }
    frame_close(m, frame);
    return made;
}

/* Append f unless it was seen, and keep the list sorted by generation, latest last. */
static bool autograd_add_function(mutator *m, local *functions, local *seen, object *f) {
    for (size_t i = 0; i < list_used(seen->target); i++)
        if (field_peek(&list_items(seen->target)[i]) == f) return true;
    local *frame = frame_open(m, 2);
    local_set(m, &frame[0], f);
    bool made = list_append(m, seen, f) && list_append(m, functions, frame[0].target);
    for (size_t i = made ? list_used(functions->target) - 1 : 0; i > 0; i--) {
        field *items = list_items(functions->target);
        object *before = field_peek(&items[i - 1]);
        if (as_function(before)->generation <= as_function(frame[0].target)->generation) break;
        field_load(m, &frame[1], functions->target, &items[i - 1]);
        field_store(m, functions->target, &items[i], frame[1].target);
        field_store(m, functions->target, &items[i - 1], frame[0].target);
    }
    frame_close(m, frame);
    return made;
}

/* x.grad = gx, or x.grad + gx where there is one already. */
static void autograd_accumulate(mutator *m, object *x, local *gx) {
    object *before = field_peek(&as_variable(x)->grad);
    if (before != NULL)
        for (size_t i = 0; i < array_count(before); i++)
            array_items(gx->target)[i] += array_items(before)[i];
    field_store(m, x, &as_variable(x)->grad, gx->target);
}

/* gx = 2 * x * gy for the function f, handed to f's input; the input's creator comes next. */
static bool autograd_step_back(mutator *m, local *f, local *functions, local *seen, bool weak) {
    enum { OUTPUT, INPUT, GX, LOCALS };
    local *frame = frame_open(m, LOCALS);
    autograd_load_output(m, &frame[OUTPUT], f->target, weak);
    object *inputs = field_peek(&as_function(f->target)->inputs);
    field_load(m, &frame[INPUT], inputs, &tuple_items(inputs)[0]);
    size_t count = array_count(field_peek(&as_variable(frame[INPUT].target)->data));
    bool made = array_new(m, &frame[GX], count);
    if (made) {
        variable *input = as_variable(frame[INPUT].target);
        const double *x = array_items(field_peek(&input->data));
        const double *gy = array_items(field_peek(&as_variable(frame[OUTPUT].target)->grad));
        double *gx = array_items(frame[GX].target);
        for (size_t i = 0; i < count; i++)
            gx[i] = 2 * x[i] * gy[i];
        autograd_accumulate(m, frame[INPUT].target, &frame[GX]);
        object *creator = field_peek(&as_variable(frame[INPUT].target)->creator);
        if (creator != NULL) made = autograd_add_function(m, functions, seen, creator);
    }
    frame_close(m, frame);
    return made;
}

static bool autograd_backward(mutator *m, local *y, bool weak) {
    enum { GRAD, FUNCTIONS, SEEN, F, LOCALS };
    local *frame = frame_open(m, LOCALS);
    size_t count = array_count(field_peek(&as_variable(y->target)->data));
    bool made = array_new(m, &frame[GRAD], count) && list_new(m, &frame[FUNCTIONS]) && list_new(m, &frame[SEEN]);
    if (made) {
        for (size_t i = 0; i < count; i++)
            array_items(frame[GRAD].target)[i] = 1;
        field_store(m, y->target, &as_variable(y->target)->grad, frame[GRAD].target);
        made = autograd_add_function(m, &frame[FUNCTIONS], &frame[SEEN], field_peek(&as_variable(y->target)->creator));
    }
    while (made && list_used(frame[FUNCTIONS].target) > 0) {
        mutator_poll(m);
        list_pop(m, &frame[FUNCTIONS], &frame[F]);
        made = autograd_step_back(m, &frame[F], &frame[FUNCTIONS], &frame[SEEN], weak);
    }
    frame_close(m, frame);
    return made;
}

static uint64_t autograd_checksum(object *x) {
    object *grad = field_peek(&as_variable(x)->grad);
    double sum = 0;
    for (size_t i = 0; i < array_count(grad); i++)
        sum += array_items(grad)[i];
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}

static bool autograd_iteration(workload_run *run) {
    enum { DATA, X, Y, LOCALS };
    mutator *m = run->mutator;
    bool weak = run->parameters[AUTOGRAD_OUTPUTS] == AUTOGRAD_WEAK;
    size_t count = (size_t)run->parameters[AUTOGRAD_SIZE];
    local *frame = frame_open(m, LOCALS);
    bool made = array_new(m, &frame[DATA], count);
    if (made) {
        for (size_t i = 0; i < count; i++)
            array_items(frame[DATA].target)[i] = 0.5 + (double)i / (2 * (double)count);
        made = variable_new(m, &frame[X], &frame[DATA]);
        local_set(m, &frame[DATA], NULL);
    }
    if (made) local_set(m, &frame[Y], frame[X].target);
    for (int layer = 0; made && layer < AUTOGRAD_LAYERS; layer++) {
        mutator_poll(m);
        made = autograd_square(m, &frame[Y], &frame[Y], weak);
    }
    made = made && autograd_backward(m, &frame[Y], weak);
    if (made) run->checksum += autograd_checksum(frame[X].target);
    frame_close(m, frame);
    return made;
}

static bool autograd_unit(workload_run *run) {
    for (int64_t i = 0; i < run->parameters[AUTOGRAD_ITERATIONS]; i++)
        if (!autograd_iteration(run)) return false;
    run->moment(run, "iterations done");
    return true;
}

static bool autograd_prepare(workload_run *run) { (void)run; return true; }
static void autograd_finish(workload_run *run) { (void)run; }

static unsigned autograd_needs(const workload_run *run) {
    return (run->threads > 1 ? COLLECTOR_THREADS : 0) |
           (run->parameters[AUTOGRAD_OUTPUTS] == AUTOGRAD_WEAK ? COLLECTOR_WEAK_REFERENCES : COLLECTOR_FREES_CYCLES);
}

/* Of an iteration: payloads and arrays; the lists hold three at most, and have room for four. Of weak references only the
 * collector knows the size: they come on top. */
static uint64_t autograd_bytes(uint64_t elements, uint64_t arrays, uint64_t lists) {
    uint64_t room = list_room_for(1);
    return arrays * (sizeof(array) - sizeof(object) + elements * sizeof(double)) +
           (AUTOGRAD_LAYERS + 1) * (sizeof(variable) - sizeof(object)) +
           AUTOGRAD_LAYERS * (sizeof(function) - sizeof(object) + sizeof(sized_object) - sizeof(object) + sizeof(field)) +
           lists * (sizeof(list) - sizeof(object) + room * sizeof(field));
}

static workload_operations autograd_declare(const workload_run *run) {
    uint64_t iterations = (uint64_t)run->parameters[AUTOGRAD_ITERATIONS];
    bool weak = run->parameters[AUTOGRAD_OUTPUTS] == AUTOGRAD_WEAK;
    uint64_t arrays = 2 * (AUTOGRAD_LAYERS + 1), lists = AUTOGRAD_LAYERS + 2;       /* outputs; functions and seen */
    uint64_t objects = arrays + (AUTOGRAD_LAYERS + 1) + 2 * AUTOGRAD_LAYERS + lists;
    return (workload_operations){
        .operations = iterations,
        .allocations = iterations * (objects + arrays + lists + (weak ? AUTOGRAD_LAYERS : 0)),
        .bytes = iterations * autograd_bytes((uint64_t)run->parameters[AUTOGRAD_SIZE], arrays, lists),
        .references = iterations * (7 + AUTOGRAD_LAYERS * (weak ? 19 : 16)),
    };
}

const workload autograd_workload = {
    .name = "autograd", .idea = "DeZero's step 17: three squares and backward, outputs strong or weak",
    .operation = "iteration", .kind = WORKLOAD_ON_OBJECTS, .threaded = true,
    .parameters = {{.name = "size", .meaning = "elements of an array", .value = 10000, .minimum = 1, .maximum = 100000000},
                   {.name = "iterations", .meaning = "per unit", .value = 10, .minimum = 1, .maximum = 1000000},
                   {.name = "outputs", .meaning = "references of a Function to its outputs", .choices = "strong|weak", .maximum = 1}},
    .needs = autograd_needs, .declare = autograd_declare,
    .prepare = autograd_prepare, .unit = autograd_unit, .finish = autograd_finish,
};
