/* SPDX-License-Identifier: MIT
 * spin.c - the wait of spin.h: look 100 times, then sleep, 10 us at first and doubling up to 1 ms. */
#include <time.h>

#include "spin.h"

enum { SPIN_LOOKS = 100, SPIN_SLEEP_NS = 10000, SPIN_LONGEST_SLEEP_NS = 1000000 };

static inline void spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

__attribute__((noinline, cold)) void spin_wait(atomic_uchar *lock) {
    struct timespec sleep = {.tv_nsec = SPIN_SLEEP_NS};
    for (unsigned looks = 1;; looks++) {
        if (atomic_load_explicit(lock, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(lock, 1, memory_order_acquire) == 0)
            return;
        spin_pause();
        if (looks % SPIN_LOOKS == 0) {
            nanosleep(&sleep, NULL);
            if (sleep.tv_nsec < SPIN_LONGEST_SLEEP_NS) sleep.tv_nsec *= 2;
        }
    }
}
