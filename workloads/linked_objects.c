/* SPDX-License-Identifier: MIT
 * linked_objects.c - the workloads on objects, as they are linked into a collector's executable. */
#include "workload.h"

#define BLOCKS(name)
#define OBJECTS(name) extern const workload name##_workload;
#include "workloads.def"
#undef OBJECTS

#define OBJECTS(name) &name##_workload,
const workload *const linked_workloads[] = {
#include "workloads.def"
    NULL,
};
