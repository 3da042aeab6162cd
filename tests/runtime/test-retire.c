/* SPDX-License-Identifier: MIT */
/*
 * Retire: nothing is given back while a thread that may have found it is inside its call.
 */
#include "runtime/retire.h"
#include "unit.h"

#include "runtime/thread.h"

#include <sys/wait.h>
#include <unistd.h>

static _Atomic unsigned n_released;
static void *last_released;
static size_t last_bytes;

static void release(void *object, size_t bytes) {
        last_released = object;
        last_bytes = bytes;
        atomic_fetch_add(&n_released, 1);
}

START_TEST(what_nobody_uses_is_given_back_at_once) {
        int object;

        retire(release, &object, 17);
        retire_collect();
        ck_assert_uint_eq(atomic_load(&n_released), 1);
        ck_assert_ptr_eq(last_released, &object);
        ck_assert_uint_eq(last_bytes, 17);
        retire_collect();
        ck_assert_uint_eq(atomic_load(&n_released), 1);
}
END_TEST

START_TEST(the_thread_that_retires_does_not_wait_for_itself) {
        Thread *self = call_enter();

        retire(release, NULL, 0);
        retire_collect();
        ck_assert_uint_eq(atomic_load(&n_released), 1);
        call_leave(self);
}
END_TEST

/* ---- a thread that is inside when told to be ---- */

typedef struct Guest {
        pthread_t id;
        _Atomic unsigned wanted; /* odd = inside */
        _Atomic unsigned is;
        _Atomic unsigned quit;
} Guest;

static void *guest_main(void *argument) {
        Guest *guest = argument;
        Thread *self = call_enter();

        call_leave(self);
        while (!atomic_load(&guest->quit)) {
                unsigned wanted = atomic_load(&guest->wanted);

                for (; atomic_load(&guest->is) != wanted; atomic_fetch_add(&guest->is, 1))
                        if (atomic_load(&guest->is) % 2 == 0)
                                self = call_enter();
                        else
                                call_leave(self);
                sched_yield();
        }
        return NULL;
}

static void guest_start(Guest *guest) {
        ck_assert_int_eq(pthread_create(&guest->id, NULL, guest_main, guest), 0);
}

static void guest_step(Guest *guest) {
        unit_until(&guest->is, atomic_fetch_add(&guest->wanted, 1) + 1);
}

static void guest_end(Guest *guest) {
        atomic_store(&guest->quit, 1);
        pthread_join(guest->id, NULL);
}

static void released(unsigned n) {
        retire_collect();
        ck_assert_uint_eq(atomic_load(&n_released), n);
}

START_TEST(a_thread_inside_a_call_keeps_it) {
        Guest guest = { 0 };

        guest_start(&guest);
        guest_step(&guest);
        retire(release, NULL, 0);
        released(0);
        released(0);
        guest_step(&guest);
        released(1);
        guest_end(&guest);
}
END_TEST

/* The next call of the same thread can no longer find it. */
START_TEST(a_thread_in_its_next_call_does_not_keep_it) {
        Guest guest = { 0 };

        guest_start(&guest);
        guest_step(&guest);
        retire(release, NULL, 0);
        guest_step(&guest);
        guest_step(&guest);
        released(1);
        guest_step(&guest);
        guest_end(&guest);
}
END_TEST

START_TEST(a_thread_that_came_later_does_not_keep_it) {
        Guest early = { 0 }, late = { 0 };

        guest_start(&early);
        guest_start(&late);
        guest_step(&early);
        retire(release, NULL, 0);
        guest_step(&late);
        guest_step(&early);
        released(1);
        guest_step(&late);
        guest_end(&early);
        guest_end(&late);
}
END_TEST

START_TEST(a_thread_that_ended_does_not_keep_it) {
        Guest guest = { 0 };

        guest_start(&guest);
        guest_step(&guest);
        retire(release, NULL, 0);
        guest_end(&guest);
        released(1);
}
END_TEST

START_TEST(each_waits_for_its_own_threads) {
        Guest guests[2] = { 0 };

        guest_start(&guests[0]);
        guest_start(&guests[1]);
        guest_step(&guests[0]);
        retire(release, NULL, 0); /* for 0 */
        guest_step(&guests[1]);
        retire(release, NULL, 0); /* for both */
        released(0);
        guest_step(&guests[0]);
        released(1);
        guest_step(&guests[1]);
        released(2);
        guest_end(&guests[0]);
        guest_end(&guests[1]);
}
END_TEST

/* ---- threads that come and go while somebody looks for the one that stays ---- */

static void *bustle(void *argument) {
        const _Atomic unsigned *stop = argument;

        while (!atomic_load(stop))
                call_leave(call_enter());
        return NULL;
}

START_TEST(the_one_that_stays_is_never_overlooked) {
        Guest guest = { 0 };
        _Atomic unsigned stop = 0;
        pthread_t busy[2];
        unsigned n = unit_rounds(20000);

        guest_start(&guest);
        guest_step(&guest);
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&busy[i], NULL, bustle, &stop), 0);
        for (unsigned i = 0; i < n; i++) {
                retire(release, NULL, 0);
                if (i % 64 == 0)
                        released(0);
        }
        released(0);
        atomic_store(&stop, 1);
        for (unsigned i = 0; i < 2; i++)
                pthread_join(busy[i], NULL);
        released(0);
        guest_step(&guest);
        released(n);
        guest_end(&guest);
}
END_TEST

START_TEST(what_has_no_users_left_goes_while_others_bustle_and_rest) {
        _Atomic unsigned stop = 0;
        unsigned n = unit_rounds(2000);
        pthread_t busy;

        ck_assert_int_eq(pthread_create(&busy, NULL, bustle, &stop), 0);
        for (unsigned i = 0; i < n; i++)
                retire(release, NULL, 0);
        atomic_store(&stop, 1);
        pthread_join(busy, NULL);
        released(n);
}
END_TEST

/* ---- readers that follow a pointer, as the library does ---- */

typedef struct Box {
        unsigned whole;
        unsigned also_whole;
} Box;

static WordPointer place;

static void free_box(void *object, size_t bytes) {
        memset(object, 0xee, bytes);
        free(object);
}

static Box *box_new(void) {
        Box *box = malloc(sizeof(*box));

        *box = (Box){ 1, 1 };
        return box;
}

static void *read_boxes(void *argument) {
        const _Atomic unsigned *stop = argument;

        while (!atomic_load(stop)) {
                Thread *self = call_enter();
                const Box *box = word_pointer_load(&place);

                ck_assert_uint_eq(box->whole, 1);
                ck_assert_uint_eq(box->also_whole, 1);
                call_leave(self);
        }
        return NULL;
}

START_TEST(readers_never_see_what_was_given_back) {
        _Atomic unsigned stop = 0;
        pthread_t readers[2];

        word_pointer_store(&place, box_new());
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&readers[i], NULL, read_boxes, &stop), 0);
        for (unsigned i = 0; i < unit_rounds(50000); i++) {
                Box *old = word_pointer_load(&place);

                word_pointer_store(&place, box_new());
                retire(free_box, old, sizeof(*old));
                retire_collect();
        }
        atomic_store(&stop, 1);
        for (unsigned i = 0; i < 2; i++)
                pthread_join(readers[i], NULL);
        retire_collect();
        free(word_pointer_load(&place));
}
END_TEST

static void *retire_many(void *argument) {
        (void)argument;
        for (unsigned i = 0; i < unit_rounds(5000); i++) {
                retire(release, NULL, 0);
                retire_collect();
        }
        return NULL;
}

START_TEST(several_threads_retire_at_once) {
        pthread_t threads[2];

        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, retire_many, NULL), 0);
        for (unsigned i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        released(2 * unit_rounds(5000));
}
END_TEST

START_TEST(a_child_gives_back_nothing_of_its_parents) {
        Guest guest = { 0 };
        pid_t child;
        int status;

        guest_start(&guest);
        guest_step(&guest);
        retire(release, NULL, 0);
        child = fork();
        if (child == 0) {
                retire_after_fork();
                threads_after_fork();
                retire_collect();
                _exit((int)atomic_load(&n_released));
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        guest_step(&guest);
        released(1);
        guest_end(&guest);
}
END_TEST

UNIT_MAIN("retire", what_nobody_uses_is_given_back_at_once,
          the_thread_that_retires_does_not_wait_for_itself, a_thread_inside_a_call_keeps_it,
          a_thread_in_its_next_call_does_not_keep_it, a_thread_that_came_later_does_not_keep_it,
          a_thread_that_ended_does_not_keep_it, each_waits_for_its_own_threads,
          the_one_that_stays_is_never_overlooked,
          what_has_no_users_left_goes_while_others_bustle_and_rest,
          readers_never_see_what_was_given_back, several_threads_retire_at_once,
          a_child_gives_back_nothing_of_its_parents)
