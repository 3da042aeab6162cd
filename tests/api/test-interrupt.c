/* SPDX-License-Identifier: MIT */
/* Interrupt calls, with a socket as the device: what is written to it is an interrupt, what comes back a mask. */
#include "../harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/neutrino.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define IRQ 1234

static const uint64_t SOON = 20000000; /* 20 ms */
static int device; /* the hardware's end */
static int driver;

static void device_new(void) {
        int ends[2];
        char text[64];

        ck_assert_ok(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
        device = ends[0];
        driver = ends[1];
        snprintf(text, sizeof(text), "99=99,%d=%d", IRQ, driver);
        ck_assert_ok(setenv("NUNTIUS_UIO", text, 1));
}

static void device_free(void) {
        close(device);
        close(driver);
}

static void raise_interrupt(void) {
        int32_t count = 1;

        ck_assert_int_eq(write(device, &count, sizeof(count)), sizeof(count));
}

/* What the driver wrote next: 1 = unmask, 0 = mask. */
static int driver_wrote(void) {
        int32_t word = -1;

        ck_assert_int_eq(read(device, &word, sizeof(word)), sizeof(word));
        return word;
}

static bool driver_is_quiet(void) {
        int32_t word;

        return recv(device, &word, sizeof(word), MSG_DONTWAIT | MSG_PEEK) < 0;
}

static int attach_event(const struct sigevent *event) {
        int id = InterruptAttachEvent(IRQ, event, _NTO_INTR_FLAGS_TRK_MSK | _NTO_INTR_FLAGS_END);

        ck_assert_msg(id > 0, "InterruptAttachEvent: %s", strerror(errno));
        ck_assert_int_eq(driver_wrote(), 1);
        return id;
}

static void detach(int id) {
        ck_assert_ok(InterruptDetach(id));
        ck_assert_int_eq(driver_wrote(), 0);
}

static int attach_intr(void) {
        struct sigevent event;

        SIGEV_INTR_INIT(&event);
        return attach_event(&event);
}

/* ---- events ---- */

START_TEST(an_interrupt_wakes_and_stays_masked) {
        int id;

        device_new();
        id = attach_intr();
        raise_interrupt();
        ck_assert_ok(InterruptWait(0, NULL));
        ck_assert(driver_is_quiet());
        ck_assert_int_eq(InterruptUnmask(0, id), 0);
        ck_assert_int_eq(driver_wrote(), 1);
        raise_interrupt();
        ck_assert_r(InterruptWait_r(0, NULL), EOK);
        detach(id);
        device_free();
}
END_TEST

START_TEST(an_interrupt_before_the_wait_is_not_lost) {
        int chid = channel_new(0), id;

        device_new();
        id = attach_intr();
        raise_interrupt();
        /* masked once: it has been delivered */
        while (InterruptMask(IRQ, -1) == 1) {
                ck_assert_int_eq(driver_wrote(), 0);
                InterruptUnmask(IRQ, -1);
                if (!driver_is_quiet())
                        ck_assert_int_eq(driver_wrote(), 1);
        }
        ck_assert_ok(InterruptWait(0, NULL));
        ck_assert_ok(InterruptDetach(id));
        device_free();
        channel_free(chid);
}
END_TEST

START_TEST(an_interrupt_sends_a_pulse) {
        int chid = channel_new(0), coid = connect_side(0, chid), id;
        struct sigevent event;
        struct _pulse pulse;

        device_new();
        SIGEV_PULSE_INIT(&event, coid, 15, 7, 4711);
        id = attach_event(&event);
        for (int i = 0; i < 3; i++) {
                raise_interrupt();
                ck_assert_int_eq(MsgReceivePulse(chid, &pulse, sizeof(pulse), NULL), 0);
                ck_assert_int_eq(pulse.code, 7);
                ck_assert_int_eq(pulse.value.sival_int, 4711);
                ck_assert_int_eq(InterruptUnmask(0, id), 0);
                ck_assert_int_eq(driver_wrote(), 1);
        }
        detach(id);
        connect_free(coid);
        channel_free(chid);
        device_free();
}
END_TEST

static void *raise_when_unmasked(void *arg) {
        ck_assert_int_eq(driver_wrote(), 1);
        raise_interrupt();
        return NULL;
}

START_TEST(the_attached_thread_unmasks_as_it_waits) {
        Thread thread;
        int id;

        device_new();
        id = InterruptAttachThread(IRQ, _NTO_INTR_FLAGS_NO_UNMASK);
        ck_assert_int_gt(id, 0);
        ck_assert(driver_is_quiet());
        thread = thread_start(raise_when_unmasked, NULL);
        ck_assert_ok(InterruptWait(_NTO_INTR_WAIT_FLAGS_UNMASK, NULL));
        thread_end(thread);
        detach(id);
        device_free();
}
END_TEST

/* ---- masks ---- */

START_TEST(masks_count) {
        int id;

        device_new();
        id = attach_intr();
        ck_assert_int_eq(InterruptMask(IRQ, -1), 1);
        ck_assert_int_eq(driver_wrote(), 0);
        ck_assert_int_eq(InterruptMask(0, id), 2);
        ck_assert(driver_is_quiet());
        ck_assert_int_eq(InterruptUnmask(0, id), 1);
        ck_assert(driver_is_quiet());
        ck_assert_int_eq(InterruptUnmask(IRQ, -1), 0);
        ck_assert_int_eq(driver_wrote(), 1);
        ck_assert_int_eq(InterruptUnmask(0, id), 0);
        ck_assert(driver_is_quiet());
        ck_assert_fails(InterruptMask(IRQ + 1, -1), EINVAL);
        ck_assert_fails(InterruptUnmask(IRQ, id + 1), EINVAL);
        detach(id);
        device_free();
}
END_TEST

/* ---- handlers ---- */

typedef struct Isr {
        struct sigevent event;
        volatile int runs;
        volatile bool keep_masked;
} Isr;

static const struct sigevent *on_interrupt(void *area, int id) {
        Isr *isr = area;

        isr->runs++;
        if (isr->keep_masked)
                InterruptMask(0, id);
        return &isr->event;
}

START_TEST(a_handler_runs_and_its_event_is_delivered) {
        Isr isr = { .runs = 0 };
        int id;

        device_new();
        SIGEV_INTR_INIT(&isr.event);
        id = InterruptAttach(IRQ, on_interrupt, &isr, sizeof(isr), 0);
        ck_assert_int_gt(id, 0);
        ck_assert_int_eq(driver_wrote(), 1);
        raise_interrupt();
        ck_assert_ok(InterruptWait(0, NULL));
        ck_assert_int_eq(isr.runs, 1);
        ck_assert_int_eq(driver_wrote(), 1); /* unmasked by itself */
        isr.keep_masked = true;
        raise_interrupt();
        ck_assert_ok(InterruptWait(0, NULL));
        detach(id);
        device_free();
}
END_TEST

static const struct sigevent *detach_myself(void *area, int id) {
        *(volatile int *)area = InterruptDetach_r(id);
        return NULL;
}

START_TEST(a_handler_cannot_detach_itself) {
        volatile int result = -1;
        int id;

        device_new();
        id = InterruptAttach(IRQ, detach_myself, (void *)&result, sizeof(result), 0);
        ck_assert_int_eq(driver_wrote(), 1);
        raise_interrupt();
        ck_assert_int_eq(driver_wrote(), 1);
        ck_assert_int_eq(result, EDEADLK);
        detach(id);
        device_free();
}
END_TEST

/* ---- the wait ---- */

START_TEST(a_timeout_ends_the_wait) {
        int id;

        device_new();
        id = attach_intr();
        ck_assert_ok(TimerTimeout(CLOCK_REALTIME, _NTO_TIMEOUT_INTR, NULL, &SOON, NULL));
        ck_assert_fails(InterruptWait(0, NULL), ETIMEDOUT);
        ck_assert_ok(TimerTimeout(CLOCK_MONOTONIC, _NTO_TIMEOUT_INTR, NULL, NULL, NULL));
        ck_assert_r(InterruptWait_r(0, NULL), ETIMEDOUT);
        ck_assert_fails(InterruptWait(64, NULL), EINVAL);
        detach(id);
        device_free();
}
END_TEST

static volatile int handled;

static void handle(int signo) {
        handled = signo;
}

static void *wait_in_thread(void *arg) {
        return (void *)(long)InterruptWait_r(0, NULL);
}

/* signal() asks for restarts; the wait ends all the same. */
START_TEST(a_handler_ends_the_wait) {
        Thread thread;

        ck_assert(signal(SIGUSR1, handle) != SIG_ERR);
        channel_free(channel_new(0));
        for (int i = 0; i < 20; i++) {
                thread = thread_start(wait_in_thread, NULL);
                wait_for_state(getpid(), "INTR");
                pthread_kill(thread.id, SIGUSR1);
                ck_assert_int_eq((long)thread_end(thread), EINTR);
                ck_assert_int_eq(handled, SIGUSR1);
        }
}
END_TEST

/* ---- what cannot be ---- */

START_TEST(nonsense_is_refused) {
        struct sigevent event, odd = { .sigev_notify = 77 };

        SIGEV_INTR_INIT(&event);
        device_new();
        ck_assert_fails(InterruptAttachEvent(IRQ + 1, &event, 0), ENOTSUP);
        ck_assert_r(InterruptAttachEvent_r(IRQ, NULL, 0), -EFAULT);
        ck_assert_fails(InterruptAttachEvent(IRQ, &odd, 0), EINVAL);
        ck_assert_fails(InterruptAttachEvent(IRQ, &event, 0x1000), EINVAL);
        ck_assert_fails(InterruptAttachEvent(-1, &event, 0), EINVAL);
        ck_assert_r(InterruptAttachThread_r(IRQ + 1, 0), -ENOTSUP);
        ck_assert_r(InterruptAttach_r(IRQ, NULL, NULL, 0, 0), -EFAULT);
        ck_assert_fails(InterruptAttach(IRQ + 1, on_interrupt, NULL, 0, 0), ENOTSUP);
        ck_assert_r(InterruptAttachArray_r(IRQ, NULL, NULL, 0, 0), -ENOTSUP);
        ck_assert_fails(InterruptDetach(77), EINVAL);
        ck_assert_fails(InterruptDetach(-1), EINVAL);
        device_free();
}
END_TEST

START_TEST(no_program_keeps_interrupts_from_the_processor) {
        ck_assert_fails(InterruptDisable(), EPERM);
        ck_assert_fails(InterruptEnable(), EPERM);
        ck_assert_int_eq(InterruptStatus(), 1);
        ck_assert_fails(InterruptHookTrace(NULL, 0), ENOSYS);
        ck_assert_fails(InterruptHookIdle(NULL, 0), ENOSYS);
        ck_assert_fails(InterruptHookIdle2(NULL, 0), ENOSYS);
        ck_assert_fails(InterruptHookOverdriveEvent(NULL, 0), ENOSYS);
        ck_assert_r(InterruptCharacteristic_r(0, 0, NULL, NULL), ENOSYS);
}
END_TEST

static intrspin_t spin;
static int counter;

static void *count_up(void *arg) {
        for (int i = 0; i < 20000; i++) {
                InterruptLock(&spin);
                counter++;
                InterruptUnlock(&spin);
        }
        return NULL;
}

START_TEST(a_spinlock_excludes) {
        Thread threads[2];

        for (int i = 0; i < 2; i++)
                threads[i] = thread_start(count_up, NULL);
        for (int i = 0; i < 2; i++)
                thread_end(threads[i]);
        ck_assert_int_eq(counter, 40000);
}
END_TEST

START_TEST(a_child_has_none_of_its_parents) {
        pid_t child;
        int id, status;

        device_new();
        id = attach_intr();
        child = fork();
        if (child == 0)
                _exit(InterruptDetach_r(id) == EINVAL ? 0 : 1);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        detach(id);
        device_free();
}
END_TEST

HARNESS_MAIN("interrupt", an_interrupt_wakes_and_stays_masked, an_interrupt_before_the_wait_is_not_lost,
             an_interrupt_sends_a_pulse, the_attached_thread_unmasks_as_it_waits, masks_count,
             a_handler_runs_and_its_event_is_delivered, a_handler_cannot_detach_itself,
             a_timeout_ends_the_wait, a_handler_ends_the_wait, nonsense_is_refused,
             no_program_keeps_interrupts_from_the_processor, a_spinlock_excludes,
             a_child_has_none_of_its_parents)
