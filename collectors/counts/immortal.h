/* SPDX-License-Identifier: MIT
 * immortal.h - any count, with one look before each change: an immortal object's count stays as it is.
 *
 * Promises: what is immortal is never written to by counting (no cache line bounces, no page is copied
 * after a fork), and never dies. Costs: a load and a branch before every take and drop of any object.
 * Source: PEP 683 (E. Snow, E. Elizondo), CPython 3.12.
 */
#ifndef REFARENA_COUNTS_IMMORTAL_H
#define REFARENA_COUNTS_IMMORTAL_H

static inline void immortal_take(object *o)     { if (!count_is_immortal(o)) count_take(o); }
static inline bool immortal_drop(object *o)     { return !count_is_immortal(o) && count_drop(o); }
static inline bool immortal_try_take(object *o) { return count_is_immortal(o) || count_try_take(o); }

#define count_take     immortal_take
#define count_drop     immortal_drop
#define count_try_take immortal_try_take

#endif
