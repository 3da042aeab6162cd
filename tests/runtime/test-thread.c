/* SPDX-License-Identifier: MIT */
/*
 * Thread: who is in the registry and on the page, and the border of a call.
 */
#include "runtime/thread.h"
#include "unit.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned n_registered(void) {
        unsigned n = 0;

        threads_lock();
        for (Thread *t = threads_first(); t; t = t->next)
                n++;
        threads_unlock();
        return n;
}

static bool is_registered(uint32_t tid) {
        bool found = false;

        threads_lock();
        for (Thread *t = threads_first(); t; t = t->next)
                found |= t->tid == tid;
        threads_unlock();
        return found;
}

START_TEST(the_first_call_registers_and_the_next_does_not) {
        Thread *self = call_enter();

        ck_assert_uint_eq(self->tid, 1);
        ck_assert_uint_eq(self->linux_tid, (uint32_t)syscall(SYS_gettid));
        ck_assert_uint_eq(self->priority, 10);
        call_leave(self);
        call_leave(call_enter());
        ck_assert_uint_eq(n_registered(), 1);
        ck_assert(is_registered(1));
}
END_TEST

START_TEST(a_call_is_open_from_border_to_border) {
        Thread *self = call_enter();

        ck_assert(call_is_open(self));
        call_leave(self);
        ck_assert(!call_is_open(self));
}
END_TEST

START_TEST(a_call_leaves_errno_alone) {
        Thread *self;

        errno = 4711;
        self = call_enter();
        errno = EIO;
        call_leave(self);
        ck_assert_int_eq(errno, 4711);
}
END_TEST

START_TEST(an_armed_time_out_is_taken_once) {
        Thread *self = call_enter();

        self->timeout = (Timeout){ .flags = 3, .immediate = true };
        ck_assert_uint_eq(call_take_timeout(self).flags, 3);
        ck_assert_uint_eq(call_take_timeout(self).flags, 0);
        call_leave(self);
}
END_TEST

/* ---- threads that come and go ---- */

static void *register_and_end(void *argument) {
        Thread *self = call_enter();

        call_leave(self);
        *(uint32_t *)argument = self->tid;
        ck_assert(is_registered(self->tid));
        return NULL;
}

static uint32_t one_thread(void) {
        uint32_t tid = 0;
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, register_and_end, &tid), 0);
        pthread_join(thread, NULL);
        return tid;
}

START_TEST(a_thread_that_ends_leaves_the_registry) {
        uint32_t before, tid;

        call_leave(call_enter());
        before = one_thread();
        ck_assert(!is_registered(before));
        tid = one_thread();
        ck_assert_uint_ne(tid, before);
        ck_assert_uint_ne(tid, 1);
        ck_assert_uint_eq(n_registered(), 1);
}
END_TEST

#define CROWD 8

static void *come_and_go(void *argument) {
        uint32_t tid;

        (void)argument;
        for (unsigned i = 0; i < unit_rounds(1000); i++) {
                tid = one_thread();
                ck_assert(!is_registered(tid));
        }
        return NULL;
}

START_TEST(a_crowd_comes_and_goes) {
        pthread_t threads[CROWD];

        call_leave(call_enter());
        for (unsigned i = 0; i < CROWD; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
        for (unsigned i = 0; i < CROWD; i++)
                pthread_join(threads[i], NULL);
        ck_assert_uint_eq(n_registered(), 1);
}
END_TEST

/* ---- the page ---- */

static ShmProcess page;

static unsigned n_on_page(void) {
        unsigned n = 0;

        for (unsigned i = 0; i < PROCESS_THREADS; i++)
                n += word_load(&page.threads[i].tid) != 0;
        return n;
}

START_TEST(threads_take_and_leave_their_entries_on_the_page) {
        Thread *self = call_enter();

        call_leave(self);
        threads_use_page(&page);
        ck_assert_uint_eq(n_on_page(), 1);
        ck_assert_uint_eq(word_load(&self->page->tid), 1);
        ck_assert_uint_eq(self->page->linux_tid, self->linux_tid);
        ck_assert_uint_eq(word_load(&self->page->priority), 10);
        one_thread();
        ck_assert_uint_eq(n_on_page(), 1);
        thread_show(self, 5, 100, 2, 3, 4);
        ck_assert_uint_eq(word_load(&self->page->state), 5);
        ck_assert_int_eq(self->page->on_pid, 100);
        ck_assert_int_eq(self->page->on_chid, 2);
        ck_assert_uint_eq(self->page->on_link, 3);
        ck_assert_uint_eq(self->page->on_slot, 4);
        threads_use_page(NULL);
        ck_assert_ptr_null(self->page);
        thread_show(self, 5, 100, 2, 3, 4);
        thread_show_running(self);
}
END_TEST

START_TEST(a_full_page_does_without_the_rest) {
        Thread *self;

        for (unsigned i = 0; i < PROCESS_THREADS; i++)
                word_store(&page.threads[i].tid, 1000 + i);
        threads_use_page(&page);
        self = call_enter();
        thread_show(self, 5, 1, 1, 1, 1);
        thread_show_running(self);
        call_leave(self);
        ck_assert_ptr_null(self->page);
        threads_use_page(NULL);
}
END_TEST

/* ---- fork ---- */

static int child_is_alone(void) {
        threads_after_fork();
        if (n_registered() != 1 || thread_this.tid != 1 || thread_this.page)
                return 1;
        if (thread_this.linux_tid != (uint32_t)syscall(SYS_gettid))
                return 2;
        call_leave(call_enter());
        return n_registered() == 1 ? 0 : 3;
}

static void *wait_for_end(void *argument) {
        call_leave(call_enter());
        pthread_barrier_wait(argument);
        pthread_barrier_wait(argument);
        return NULL;
}

START_TEST(the_child_of_a_fork_has_one_thread) {
        pthread_barrier_t barrier;
        pthread_t other;
        pid_t child;
        int status;

        pthread_barrier_init(&barrier, NULL, 2);
        ck_assert_int_eq(pthread_create(&other, NULL, wait_for_end, &barrier), 0);
        pthread_barrier_wait(&barrier);
        call_leave(call_enter());
        threads_use_page(&page);
        child = fork();
        if (child == 0)
                _exit(child_is_alone());
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_uint_eq(n_registered(), 2);
        pthread_barrier_wait(&barrier);
        pthread_join(other, NULL);
        threads_use_page(NULL);
        pthread_barrier_destroy(&barrier);
}
END_TEST

UNIT_MAIN("thread", the_first_call_registers_and_the_next_does_not, a_call_is_open_from_border_to_border,
          a_call_leaves_errno_alone, an_armed_time_out_is_taken_once,
          a_thread_that_ends_leaves_the_registry, a_crowd_comes_and_goes,
          threads_take_and_leave_their_entries_on_the_page, a_full_page_does_without_the_rest,
          the_child_of_a_fork_has_one_thread)
