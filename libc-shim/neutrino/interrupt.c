/* SPDX-License-Identifier: MIT */
/*
 * Interrupt calls.
 *
 * A thread for each attached interrupt reads its device. What it finds it counts as one mask, because the
 * kernel has masked the interrupt, and delivers the event or calls the handler.
 */
#include "neutrino/limit.h"
#include "neutrino/result.h"
#include "neutrino/uio.h"
#include "runtime/event.h"
#include "runtime/session.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FLAGS_KNOWN                                                                                \
        (_NTO_INTR_FLAGS_END | _NTO_INTR_FLAGS_NO_UNMASK | _NTO_INTR_FLAGS_PROCESS |               \
         _NTO_INTR_FLAGS_TRK_MSK | _NTO_INTR_FLAGS_EXCLUSIVE | _NTO_INTR_FLAGS_FPU)

typedef const struct sigevent *(*Handler)(void *area, int id);
typedef int (*CreateCall)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef struct Attachment Attachment;

struct Attachment {
        Attachment *next;
        int id, intr;
        int fd, stop_fd;
        bool owns_fd;
        unsigned masks; /* how often it is masked */
        Handler handler; /* or NULL: */
        struct sigevent event;
        void *area;
        uint32_t tid; /* who gets SIGEV_INTR */
        pthread_t thread;
};

static pthread_mutex_t attachments_mutex = PTHREAD_MUTEX_INITIALIZER;
static Attachment *attachments;
static int last_id;

/* ---- one attachment ---- */

static Attachment *attachment_free(Attachment *attachment) {
        if (attachment->owns_fd)
                session_close(attachment->fd);
        if (attachment->stop_fd >= 0)
                session_close(attachment->stop_fd);
        free(attachment);
        return NULL;
}

/* By number, or by interrupt when that is -1. */
static Attachment **attachment_find_locked(int id, int intr) {
        Attachment **at = &attachments;

        while (*at && (id == -1 ? (*at)->intr != intr : (*at)->id != id))
                at = &(*at)->next;
        return at;
}

static void mask_locked(Attachment *attachment) {
        if (attachment->masks++ == 0)
                uio_unmask(attachment->fd, false);
}

static void unmask_locked(Attachment *attachment) {
        if (attachment->masks > 0 && --attachment->masks == 0)
                uio_unmask(attachment->fd, true);
}

/* ---- its thread ---- */

/* False when it is to end: it was told so, or the device has gone. */
static bool wait_for_interrupt(const Attachment *attachment) {
        struct pollfd fds[] = { { .fd = attachment->fd, .events = POLLIN },
                                { .fd = attachment->stop_fd, .events = POLLIN } };
        uint8_t count[8]; /* UIO gives 4 bytes, an eventfd that stands in for it 8 */

        while (poll(fds, 2, -1) < 0)
                ; /* a debugger looked */
        if (fds[1].revents || !(fds[0].revents & POLLIN))
                return false;
        return read(attachment->fd, count, sizeof(count)) > 0;
}

static void deliver(const struct sigevent *event, uint32_t tid) {
        Thread *thread = call_enter();

        if (event_check(event) == 0)
                (void)event_deliver_self(event, SI_QUEUE, tid);
        call_leave(thread);
}

/* The handler may call anything, so no lock is held. */
static void call_handler(Attachment *attachment) {
        const struct sigevent *event = attachment->handler(attachment->area, attachment->id);

        if (event)
                deliver(event, attachment->tid);
        pthread_mutex_lock(&attachments_mutex);
        unmask_locked(attachment);
        pthread_mutex_unlock(&attachments_mutex);
}

static void *serve(void *argument) {
        Attachment *attachment = argument;

        thread_register_library();
        while (wait_for_interrupt(attachment)) {
                pthread_mutex_lock(&attachments_mutex);
                attachment->masks++;
                pthread_mutex_unlock(&attachments_mutex);
                if (attachment->handler)
                        call_handler(attachment);
                else
                        deliver(&attachment->event, attachment->tid);
        }
        return NULL;
}

/*
 * libc's own, so that it is no thread of the program. It takes no signal of the program's, but faults of a
 * handler or of a SIGEV_MEMORY.
 */
static int start_thread(Attachment *attachment) {
        CreateCall call = (CreateCall)dlsym(RTLD_NEXT, "pthread_create");
        sigset_t set, old;
        int r;

        sigfillset(&set);
        sigdelset(&set, SIGSEGV);
        sigdelset(&set, SIGBUS);
        pthread_sigmask(SIG_BLOCK, &set, &old);
        r = call(&attachment->thread, NULL, serve, attachment);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}

static void stop_thread(Attachment *attachment) {
        (void)eventfd_write(attachment->stop_fd, 1);
        pthread_join(attachment->thread, NULL);
}

/* ---- attach, detach ---- */

static int begin(Attachment *attachment, unsigned flags) {
        int r;

        attachment->stop_fd = eventfd(0, EFD_CLOEXEC);
        if (attachment->stop_fd < 0)
                return -EAGAIN;
        r = uio_open(attachment->intr, &attachment->fd, &attachment->owns_fd);
        if (r)
                return r;
        if (flags & _NTO_INTR_FLAGS_NO_UNMASK)
                attachment->masks = 1;
        else
                uio_unmask(attachment->fd, true);
        return start_thread(attachment);
}

static int attach(const Attachment *wanted, unsigned flags) {
        Attachment *attachment;
        int r;

        if (flags & ~(unsigned)FLAGS_KNOWN || wanted->intr < 0)
                return -EINVAL;
        attachment = malloc(sizeof(*attachment));
        if (!attachment)
                return -EAGAIN;
        *attachment = *wanted;
        attachment->fd = attachment->stop_fd = -1;
        pthread_mutex_lock(&attachments_mutex);
        attachment->id = ++last_id;
        r = begin(attachment, flags);
        if (!r) {
                attachment->next = attachments;
                attachments = attachment;
                r = attachment->id;
        }
        pthread_mutex_unlock(&attachments_mutex);
        if (r < 0)
                attachment_free(attachment);
        return r;
}

/* Not cancelled halfway: files and locks are touched. */
static int attach_whole(Attachment *wanted, unsigned flags) {
        Thread *thread = call_enter();
        int old, r;

        call_take_timeout(thread);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        wanted->tid = thread->tid;
        r = attach(wanted, flags);
        pthread_setcancelstate(old, &old);
        call_leave(thread);
        return r;
}

int InterruptAttachEvent_r(int intr, const struct sigevent *event, unsigned flags) {
        Attachment wanted = { .intr = intr };

        if (!event)
                return -EFAULT;
        if (event_check(event))
                return -EINVAL;
        wanted.event = *event;
        return attach_whole(&wanted, flags);
}

int InterruptAttachEvent(int intr, const struct sigevent *event, unsigned flags) {
        return (int)plain_value(InterruptAttachEvent_r(intr, event, flags));
}

int InterruptAttachThread_r(int intr, unsigned flags) {
        struct sigevent event;

        SIGEV_INTR_INIT(&event);
        return InterruptAttachEvent_r(intr, &event, flags);
}

int InterruptAttachThread(int intr, unsigned flags) {
        return (int)plain_value(InterruptAttachThread_r(intr, flags));
}

int InterruptAttach_r(int intr, Handler handler, const void *area, int size, unsigned flags) {
        Attachment wanted = { .intr = intr, .handler = handler, .area = (void *)(uintptr_t)area };

        return handler ? attach_whole(&wanted, flags) : -EFAULT;
}

int InterruptAttach(int intr, Handler handler, const void *area, int size, unsigned flags) {
        return (int)plain_value(InterruptAttach_r(intr, handler, area, size, flags));
}

int InterruptAttachArray_r(int intr, const struct sigevent *const *(*handler)(void *, int),
                           const void *area, int size, unsigned flags) {
        limit_drop();
        return -ENOTSUP;
}

int InterruptAttachArray(int intr, const struct sigevent *const *(*handler)(void *, int),
                         const void *area, int size, unsigned flags) {
        return (int)plain_value(InterruptAttachArray_r(intr, handler, area, size, flags));
}

static int take_out(int id, Attachment **ret_attachment) {
        Attachment **at;
        int r = EINVAL;

        pthread_mutex_lock(&attachments_mutex);
        at = attachment_find_locked(id, -1);
        if (id != -1 && *at)
                r = pthread_equal((*at)->thread, pthread_self()) ? EDEADLK : EOK;
        if (r == EOK) {
                *ret_attachment = *at;
                *at = (*at)->next;
        }
        pthread_mutex_unlock(&attachments_mutex);
        return r;
}

int InterruptDetach_r(int id) {
        Attachment *attachment;
        int old, r;

        limit_drop();
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        r = take_out(id, &attachment);
        if (r == EOK) {
                stop_thread(attachment);
                uio_unmask(attachment->fd, false);
                attachment_free(attachment);
        }
        pthread_setcancelstate(old, &old);
        return r;
}

int InterruptDetach(int id) {
        return plain_status(InterruptDetach_r(id));
}

/* The child has the descriptors, but not the threads that read them. */
static void forget_all(void) {
        pthread_mutex_init(&attachments_mutex, NULL);
        while (attachments) {
                Attachment *attachment = attachments;

                attachments = attachment->next;
                attachment_free(attachment);
        }
}

__attribute__((constructor)) static void watch_forks(void) {
        pthread_atfork(NULL, NULL, forget_all);
}

/* ---- InterruptMask, InterruptUnmask ---- */

static int change_mask(int intr, int id, void (*change)(Attachment *)) {
        Thread *thread = call_enter();
        Attachment *attachment;
        int r = -EINVAL;

        call_take_timeout(thread);
        pthread_mutex_lock(&attachments_mutex);
        attachment = *attachment_find_locked(id, intr);
        if (attachment) {
                change(attachment);
                r = (int)attachment->masks;
        }
        pthread_mutex_unlock(&attachments_mutex);
        call_leave(thread);
        return (int)plain_value(r);
}

int InterruptMask(int intr, int id) {
        return change_mask(intr, id, mask_locked);
}

int InterruptUnmask(int intr, int id) {
        return change_mask(intr, id, unmask_locked);
}

/* ---- InterruptWait ---- */

/* What InterruptAttachThread() gave this thread. */
static void unmask_own(uint32_t tid) {
        pthread_mutex_lock(&attachments_mutex);
        for (Attachment *attachment = attachments; attachment; attachment = attachment->next)
                if (attachment->tid == tid && SIGEV_GET_TYPE(&attachment->event) == SIGEV_INTR)
                        unmask_locked(attachment);
        pthread_mutex_unlock(&attachments_mutex);
}

/*
 * The word counts SIGEV_INTRs; its highest bit says that a handler has come, or a SIGEV_UNBLOCK (signal.c,
 * event.c), so that the kernel does not put us back to sleep.
 */
static int wait_for_event(Thread *thread, const Deadline *deadline) {
        for (;;) {
                uint32_t word = word_load(&thread->interrupts);
                int r;

                if (word & ~INTERRUPTS_NUDGED) {
                        word_swap(&thread->interrupts, 0);
                        return EOK;
                }
                if (thread->interrupted)
                        return thread->interrupted;
                if (word && word_swap_if(&thread->interrupts, &word, 0))
                        continue; /* of a handler that ran before this call */
                r = futex_wait(&thread->interrupts, word, deadline);
                if (r == -ETIMEDOUT)
                        return word_load(&thread->interrupts) & ~INTERRUPTS_NUDGED ? EOK : ETIMEDOUT;
        }
}

int InterruptWait_r(int flags, const uint64_t *timeout) {
        Thread *thread = call_enter();
        Timeout limit = call_take_timeout(thread);
        int r = EINVAL;

        limit.deadline.set = (limit.flags & _NTO_TIMEOUT_INTR) != 0;
        if (!(flags & ~(_NTO_INTR_WAIT_FLAGS_FAST | _NTO_INTR_WAIT_FLAGS_UNMASK))) {
                if (flags & _NTO_INTR_WAIT_FLAGS_UNMASK)
                        unmask_own(thread->tid);
                thread_show(thread, STATE_INTR, 0, 0, 0, 0);
                r = wait_for_event(thread, &limit.deadline);
                thread_show_running(thread);
        }
        call_leave(thread);
        return r;
}

int InterruptWait(int flags, const uint64_t *timeout) {
        return plain_status(InterruptWait_r(flags, timeout));
}

/* ---- locks ---- */

#define SPINS_BEFORE_YIELD 1000u

int InterruptLock(intrspin_t *spin) {
        Word *word = (Word *)(uintptr_t)&spin->value;

        for (unsigned turns = 1; word_swap(word, 1) != 0; turns++)
                if (turns % SPINS_BEFORE_YIELD == 0)
                        sched_yield();
        return EOK;
}

int InterruptUnlock(intrspin_t *spin) {
        word_store((Word *)(uintptr_t)&spin->value, 0);
        return EOK;
}

/* ---- what no program may do here ---- */

int InterruptDisable(void) {
        limit_drop();
        return plain_status(EPERM);
}

int InterruptEnable(void) {
        limit_drop();
        return plain_status(EPERM);
}

int InterruptStatus(void) {
        return 1;
}

int InterruptHookTrace(const struct sigevent *(*handler)(int), unsigned flags) {
        limit_drop();
        return plain_status(ENOSYS);
}

int InterruptHookIdle(void (*handler)(uint64_t *, struct qtime_entry *), unsigned flags) {
        limit_drop();
        return plain_status(ENOSYS);
}

int InterruptHookIdle2(void (*handler)(unsigned, struct syspage_entry *, struct _idle_hook *),
                       unsigned flags) {
        limit_drop();
        return plain_status(ENOSYS);
}

int InterruptHookOverdriveEvent(const struct sigevent *event, unsigned flags) {
        limit_drop();
        return plain_status(ENOSYS);
}

int InterruptCharacteristic_r(int type, int id, unsigned *new_value, unsigned *old_value) {
        limit_drop();
        return ENOSYS;
}

int InterruptCharacteristic(int type, int id, unsigned *new_value, unsigned *old_value) {
        return plain_status(InterruptCharacteristic_r(type, id, new_value, old_value));
}
