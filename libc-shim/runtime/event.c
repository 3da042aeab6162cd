/* SPDX-License-Identifier: MIT */
#include "runtime/event.h"

#include "runtime/priority.h"
#include "runtime/pulse.h"
#include "runtime/registry.h"
#include "runtime/thread.h"
#include "shm/bell.h"
#include "shm/copy.h"
#include "shm/futex.h"
#include "shm/slot.h"
#include "sys/neutrino.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what is an event ---- */

static bool signal_is_valid(int signo) {
        return signo > 0 && signo < NSIG;
}

static bool pulse_is_valid(const struct sigevent *event) {
        if (event->sigev_priority < SIGEV_PULSE_PRIO_INHERIT || event->sigev_priority > UINT8_MAX)
                return false;
        return event->sigev_code >= INT8_MIN && event->sigev_code <= INT8_MAX;
}

int event_check(const struct sigevent *event) {
        struct sigevent registered;
        bool valid = false;

        if (event->sigev_notify & SIGEV_FLAG_HANDLE)
                return registry_find((uint32_t)event->sigev_id, &registered);

        switch (SIGEV_GET_TYPE(event)) {
        case SIGEV_NONE:
        case SIGEV_UNBLOCK:
        case SIGEV_INTR:
                valid = true;
                break;
        case SIGEV_SIGNAL:
        case SIGEV_SIGNAL_CODE:
        case SIGEV_SIGNAL_THREAD:
                valid = signal_is_valid(event->sigev_signo);
                break;
        case SIGEV_PULSE:
                valid = pulse_is_valid(event);
                break;
        case SIGEV_THREAD:
                valid = event->sigev_notify_function != NULL;
                break;
        case SIGEV_MEMORY:
                valid = event->sigev_memop >= SIGEV_MEM_ASSIGN && event->sigev_memop <= SIGEV_MEM_TOGGLE;
                break;
        }
        return valid ? 0 : -EINVAL;
}

unsigned event_priority(const struct sigevent *event, unsigned own) {
        if (event->sigev_priority == SIGEV_PULSE_PRIO_INHERIT)
                return own;
        return event->sigev_priority ? (unsigned)event->sigev_priority : 1;
}

/* ---- signals ---- */

static siginfo_t signal_info(const struct sigevent *event, int si_code) {
        siginfo_t info;

        memset(&info, 0, sizeof(info));
        info.si_signo = event->sigev_signo;
        info.si_code = si_code;
        if (si_code != SI_TIMER) { /* there these members are the timer's number and its overruns */
                info.si_pid = getpid();
                info.si_uid = getuid();
        }
        info.si_value = event->sigev_value;
        return info;
}

static int signal_process(const struct sigevent *event, int si_code) {
        siginfo_t info = signal_info(event, si_code);

        return syscall(SYS_rt_sigqueueinfo, getpid(), event->sigev_signo, &info) < 0 ? -errno : 0;
}

static int signal_thread(const struct sigevent *event, uint32_t tid) {
        siginfo_t info = signal_info(event, event->sigev_code);
        Thread *thread;
        int r = -ESRCH;

        threads_lock();
        thread = thread_find_locked(tid);
        if (thread)
                r = (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), thread->linux_tid, event->sigev_signo,
                                 &info) < 0 ? -errno : 0;
        threads_unlock();
        return r;
}

/* ---- a thread ---- */

typedef struct Notice {
        void (*function)(union sigval);
        union sigval value;
} Notice;

static void *notify(void *argument) {
        Notice notice = *(Notice *)argument;
        sigset_t none;

        free(argument);
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        notice.function(notice.value);
        return NULL;
}

/* Nobody will join it, whatever the program's attributes say. */
static int create_detached(const struct sigevent *event, Notice *notice) {
        const pthread_attr_t *attributes = event->sigev_notify_attributes;
        int state = PTHREAD_CREATE_JOINABLE;
        pthread_t id;
        int r;

        if (attributes)
                pthread_attr_getdetachstate(attributes, &state);
        r = pthread_create(&id, attributes, notify, notice);
        if (r == 0 && state == PTHREAD_CREATE_JOINABLE)
                pthread_detach(id);
        return -r;
}

/* It begins with every signal blocked, so that none comes before notify() has taken over. */
static int start_thread(const struct sigevent *event) {
        Notice *notice = malloc(sizeof(*notice));
        sigset_t all, old;
        int r;

        if (!notice)
                return -EAGAIN;
        *notice = (Notice){ event->sigev_notify_function, event->sigev_value };
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        r = create_detached(event, notice);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r < 0)
                free(notice);
        return r;
}

/* ---- memory ---- */

static void change_word(void *argument) {
        const struct sigevent *event = argument;
        Word *word = (Word *)event->sigev_addr;
        uint32_t operand = (uint32_t)event->sigev_value.sival_int;

        switch (event->sigev_memop) {
        case SIGEV_MEM_ASSIGN:
                word_store(word, operand);
                break;
        case SIGEV_MEM_ADD:
                word_add(word, operand);
                break;
        case SIGEV_MEM_SUB:
                word_sub(word, operand);
                break;
        case SIGEV_MEM_BITSET:
                word_or(word, operand);
                break;
        case SIGEV_MEM_BITCLR:
                word_and(word, ~operand);
                break;
        case SIGEV_MEM_TOGGLE:
                word_xor(word, operand);
                break;
        }
}

static int change_memory(const struct sigevent *event) {
        struct sigevent copy = *event;

        if ((uintptr_t)event->sigev_addr % sizeof(Word) != 0)
                return -EFAULT;
        return copy_run(change_word, &copy) ? 0 : -EFAULT;
}

/* ---- threads of ours that wait ---- */

static int interrupt(uint32_t tid) {
        Thread *thread;

        threads_lock();
        thread = thread_find_locked(tid);
        if (thread) {
                word_add(&thread->interrupts, 1);
                futex_wake(&thread->interrupts, INT_MAX);
        }
        threads_unlock();
        return thread ? 0 : -ESRCH;
}

/* What it sleeps on stays mapped: we are inside a call, and retire() waits for us. */
static int unblock(uint32_t tid) {
        Thread *thread;
        ShmSlot *slot;
        ShmBell *bell;

        threads_lock();
        thread = thread_find_locked(tid);
        if (thread && call_is_open(thread)) {
                thread->interrupted = ETIMEDOUT;
                word_fence();
                slot = thread->asleep_on;
                bell = thread->listens_to;
                if (slot)
                        slot_kick(slot);
                if (bell)
                        bell_wake_all(bell);
                word_or(&thread->interrupts, INTERRUPTS_NUDGED);
                futex_wake(&thread->interrupts, INT_MAX);
        }
        threads_unlock();
        return thread ? 0 : -ESRCH;
}

void event_resolve(struct sigevent *event) {
        struct sigevent registered;

        if (!(event->sigev_notify & SIGEV_FLAG_HANDLE))
                return;
        if (registry_find((uint32_t)event->sigev_id, &registered) < 0)
                registered = (struct sigevent){ .sigev_notify = SIGEV_NONE };
        else if (registered.sigev_notify & SIGEV_FLAG_UPDATEABLE)
                registered.sigev_value = event->sigev_value;
        *event = registered;
}

int event_deliver_self(const struct sigevent *given, int si_code, uint32_t tid) {
        struct sigevent resolved = *given;
        const struct sigevent *event = &resolved;

        event_resolve(&resolved);
        switch (SIGEV_GET_TYPE(event)) {
        case SIGEV_SIGNAL:
                return signal_process(event, si_code);
        case SIGEV_SIGNAL_CODE:
                return signal_process(event, event->sigev_code);
        case SIGEV_SIGNAL_THREAD:
                return signal_thread(event, tid);
        case SIGEV_PULSE:
                return pulse_send(event->sigev_coid, event_priority(event, priority_now(&thread_this)),
                                  event->sigev_code, (uint64_t)event->sigev_value.sival_long);
        case SIGEV_THREAD:
                return start_thread(event);
        case SIGEV_MEMORY:
                return change_memory(event);
        case SIGEV_INTR:
                return interrupt(tid);
        case SIGEV_UNBLOCK:
                return unblock(tid);
        }
        return 0;
}
