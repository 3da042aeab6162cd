/* SPDX-License-Identifier: MIT */
/*
 * Threadctl: names, processors, and asking for the hardware.
 */
#include "neutrino/bytes.h"
#include "neutrino/result.h"
#include "runtime/thread.h"
#include "shm/copy.h"
#include "sys/neutrino.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS         1024u
#define NAME_ROOM    16 /* Linux's, with the closing 0 */
#define MASK_BITS    32u

/* ---- names ---- */

static void show_name(Thread *thread, const char name[NAME_ROOM]) {
        if (thread->page)
                memcpy(thread->page->name, name, NAME_ROOM);
}

static int put_name(Thread *thread, const char *text, size_t n) {
        char name[NAME_ROOM] = "";

        memcpy(name, text, n < NAME_ROOM ? n : NAME_ROOM - 1);
        show_name(thread, name);
        return pthread_setname_np(thread->id, name);
}

static int get_name(const Thread *thread, char name[NAME_ROOM]) {
        memset(name, 0, NAME_ROOM);
        return pthread_getname_np(thread->id, name, NAME_ROOM);
}

/* The old name goes where the new one stood, so that one is copied first. */
static int control_name(Thread *thread, struct _thread_name *data) {
        char before[NAME_ROOM], wanted[NAME_ROOM];
        struct _thread_name head;
        size_t n = 0;
        int r;

        if (!copy_bytes(&head, data, sizeof(head)))
                return EFAULT;
        if (head.new_name_len < -1 || head.name_buf_len < 0)
                return EINVAL;
        if (head.new_name_len > 0) {
                n = head.new_name_len < NAME_ROOM - 1 ? (size_t)head.new_name_len : NAME_ROOM - 1;
                if (!copy_bytes(wanted, data->name_buf, n))
                        return EFAULT;
                n = strnlen(wanted, n);
        }
        r = get_name(thread, before);
        if (r == 0 && head.new_name_len >= 0)
                r = put_name(thread, wanted, n);
        if (r != 0 || head.name_buf_len == 0)
                return r;
        n = (size_t)head.name_buf_len < NAME_ROOM ? (size_t)head.name_buf_len : NAME_ROOM;
        before[n - 1] = '\0';
        return copy_bytes(data->name_buf, before, n) ? EOK : EFAULT;
}

/* ---- processors ---- */

static void mask_from(cpu_set_t *set, const unsigned *words, size_t n) {
        CPU_ZERO(set);
        for (size_t cpu = 0; cpu < n * MASK_BITS && cpu < CPUS; cpu++)
                if (words[cpu / MASK_BITS] >> (cpu % MASK_BITS) & 1)
                        CPU_SET(cpu, set);
}

static void mask_to(unsigned *words, size_t n, const cpu_set_t *set) {
        memset(words, 0, n * sizeof(*words));
        for (size_t cpu = 0; cpu < n * MASK_BITS && cpu < CPUS; cpu++)
                if (CPU_ISSET(cpu, set))
                        words[cpu / MASK_BITS] |= 1u << (cpu % MASK_BITS);
}

static bool is_empty(const unsigned *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (words[i])
                        return false;
        return true;
}

static int set_mask(const Thread *thread, const unsigned *words, size_t n) {
        cpu_set_t set;

        mask_from(&set, words, n);
        return pthread_setaffinity_np(thread->id, sizeof(set), &set);
}

static int exchange_mask(const Thread *thread, unsigned *words, size_t n) {
        cpu_set_t before;
        int r;

        r = pthread_getaffinity_np(thread->id, sizeof(before), &before);
        if (r == 0 && !is_empty(words, n))
                r = set_mask(thread, words, n);
        if (r == 0)
                mask_to(words, n, &before);
        return r;
}

static int control_runmask(const Thread *thread, const void *data) {
        unsigned mask = (unsigned)(uintptr_t)data;

        return mask ? set_mask(thread, &mask, 1) : EINVAL;
}

static int control_exchange(const Thread *thread, unsigned *data) {
        unsigned mask;
        int r;

        if (!copy_bytes(&mask, data, sizeof(mask)))
                return EFAULT;
        r = exchange_mask(thread, &mask, 1);
        if (r == 0 && !copy_bytes(data, &mask, sizeof(mask)))
                return EFAULT;
        return r;
}

/* What new threads inherit on Linux is the mask of their maker; a mask of its own is kept for them. */
static int exchange_inherited(Thread *thread, unsigned *words, size_t n) {
        cpu_set_t before, wanted;

        mask_from(&wanted, words, n);
        if (thread->has_heir_mask)
                before = thread->heir_mask;
        else if (pthread_getaffinity_np(thread->id, sizeof(before), &before) != 0)
                return ESRCH;
        if (!is_empty(words, n)) {
                thread->heir_mask = wanted;
                thread->has_heir_mask = true;
        }
        mask_to(words, n, &before);
        return EOK;
}

static int control_both(Thread *thread, int *data) {
        unsigned words[2 * CPUS / MASK_BITS];
        unsigned *masks = (unsigned *)(data + 1);
        int size, r;

        if (!copy_bytes(&size, data, sizeof(size)))
                return EFAULT;
        if (size <= 0 || (unsigned)size > CPUS / MASK_BITS)
                return EINVAL;
        if (!copy_bytes(words, masks, 2 * (size_t)size * sizeof(*words)))
                return EFAULT;
        r = exchange_inherited(thread, words + size, (size_t)size);
        if (r == 0)
                r = exchange_mask(thread, words, (size_t)size);
        if (r == 0 && !copy_bytes(masks, words, 2 * (size_t)size * sizeof(*words)))
                return EFAULT;
        return r;
}

/* ---- hardware ---- */

/* Nothing is granted: port instructions are no part of this. But who may not on QNX may not here. */
static int control_io(void) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2] = { 0 };

        if (syscall(SYS_capget, &head, sets) < 0)
                return EPERM;
        return sets[CAP_SYS_RAWIO / 32].effective >> (CAP_SYS_RAWIO % 32) & 1 ? EOK : EPERM;
}

/* ---- the calls ---- */

static int control(Thread *thread, int cmd, void *data) {
        switch (cmd) {
        case _NTO_TCTL_NAME:
                return control_name(thread, data);
        case _NTO_TCTL_RUNMASK:
                return control_runmask(thread, data);
        case _NTO_TCTL_RUNMASK_GET_AND_SET:
                return control_exchange(thread, data);
        case _NTO_TCTL_RUNMASK_GET_AND_SET_INHERIT:
                return control_both(thread, data);
        case _NTO_TCTL_IO:
        case _NTO_TCTL_IO_PRIV:
        case _NTO_TCTL_IO_LEVEL:
                return control_io();
        case _NTO_TCTL_ALIGN_FAULT:
        case _NTO_TCTL_LOW_LATENCY:
                return EOK;
        default:
                return cmd >= _NTO_TCTL_IO_PRIV && cmd <= _NTO_TCTL_IO_LEVEL ? ENOTSUP : EINVAL;
        }
}

int ThreadCtl_r(int cmd, void *data) {
        Thread *thread = call_enter();
        int r;

        call_take_timeout(thread);
        r = control(thread, cmd, data);
        call_leave(thread);
        return r;
}

int ThreadCtl(int cmd, void *data) {
        return plain_status(ThreadCtl_r(cmd, data));
}

static bool works_for_others(int cmd) {
        return cmd == _NTO_TCTL_NAME || cmd == _NTO_TCTL_RUNMASK || cmd == _NTO_TCTL_RUNMASK_GET_AND_SET;
}

/* Under the registry's lock, so that the thread does not end meanwhile. */
static int control_other(int tid, int cmd, void *data) {
        Thread *thread;
        int r = ESRCH;

        threads_lock();
        thread = thread_find_locked((uint32_t)tid);
        if (thread)
                r = works_for_others(cmd) ? control(thread, cmd, data) : ENOTSUP;
        threads_unlock();
        return r;
}

int ThreadCtlExt_r(pid_t pid, int tid, int cmd, void *data) {
        Thread *thread;
        int r;

        if (pid != 0 && pid != getpid())
                return EPERM;
        thread = call_enter();
        call_take_timeout(thread);
        if (tid == 0 || (uint32_t)tid == thread->tid)
                r = control(thread, cmd, data);
        else
                r = control_other(tid, cmd, data);
        call_leave(thread);
        return r;
}

int ThreadCtlExt(pid_t pid, int tid, int cmd, void *data) {
        return plain_status(ThreadCtlExt_r(pid, tid, cmd, data));
}
