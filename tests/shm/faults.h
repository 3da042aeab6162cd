/* SPDX-License-Identifier: MIT */
/*
 * Faults: bad memory, and the handler that the library installs against it.
 */
#pragma once

#include "shm/copy.h"
#include "unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static inline void fault_handler(int signo, siginfo_t *info, void *context) {
        if (copy_recover(context))
                return;
        signal(signo, SIG_DFL); /* not ours: it faults again, for good */
}

static inline void faults_catch(void) {
        struct sigaction action = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

        ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
        ck_assert_int_eq(sigaction(SIGBUS, &action, NULL), 0);
}

/* @pages good pages between two that may not be touched. */
static inline uint8_t *island(unsigned pages) {
        uint8_t *sea = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        ck_assert_ptr_ne(sea, MAP_FAILED);
        ck_assert_int_eq(mprotect(sea + PAGE, pages * PAGE, PROT_READ | PROT_WRITE), 0);
        return sea + PAGE;
}

static inline void *bad_address(void) {
        return island(1) - PAGE;
}

static inline void *read_only_page(void) {
        uint8_t *page = island(1);

        ck_assert_int_eq(mprotect(page, PAGE, PROT_READ), 0);
        return page;
}
