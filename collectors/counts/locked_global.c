/* SPDX-License-Identifier: MIT
 * locked_global.c - the one lock of locked_global.h. */
#include "../collector.h"

pthread_mutex_t locked_global_mutex = PTHREAD_MUTEX_INITIALIZER;
