/* SPDX-License-Identifier: MIT */
#include "runtime/helper.h"

#include "runtime/channel.h"
#include "runtime/news.h"
#include "runtime/session.h"
#include "runtime/thread.h"
#include "runtime/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HELPER_STACK (128 * 1024)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Word linux_tid; /* 0 = not running yet */

static void read_news(void) {
        server_lock();
        news_read_locked();
        server_unlock();
}

static void hear(void) {
        Thread *thread = call_enter();

        read_news();
        call_leave(thread);
}

/* SIGIO comes in place of ours when the kernel has no room to queue one more. */
static void *serve(void *argument) {
        siginfo_t info;
        sigset_t wanted;

        (void)argument;
        thread_register_library();
        word_store(&linux_tid, (uint32_t)syscall(SYS_gettid));
        futex_wake(&linux_tid, 1);
        sigemptyset(&wanted);
        sigaddset(&wanted, HELPER_SIGNAL);
        sigaddset(&wanted, SIGIO);
        for (;;) {
                if (sigwaitinfo(&wanted, &info) < 0)
                        continue;
                if (info.si_code == SI_TIMER)
                        timer_expired((uintptr_t)info.si_value.sival_ptr, (unsigned)info.si_overrun);
                else
                        hear();
        }
        return NULL;
}

int helper_start(void) {
        int r = 0;

        pthread_mutex_lock(&mutex);
        if (!word_load(&linux_tid))
                r = thread_start_library("nuntius", HELPER_STACK, serve, NULL);
        while (r == 0 && !word_load(&linux_tid))
                futex_wait(&linux_tid, 0, &(Deadline){ 0 });
        pthread_mutex_unlock(&mutex);
        return r < 0 ? r : (int)word_load(&linux_tid);
}

static void say_so(void) {
        ShmProcess *page;

        threads_lock();
        page = threads_page_locked();
        if (page)
                word_store(&page->hears_events, 1);
        threads_unlock();
}

int helper_serve_events(void) {
        int tid = helper_start();
        int r;

        if (tid < 0)
                return tid;
        r = session_signal_news(tid, HELPER_SIGNAL);
        if (r < 0)
                return r;
        read_news(); /* what came before */
        say_so();
        return 0;
}

void helper_after_fork(void) {
        pthread_mutex_init(&mutex, NULL);
        word_store(&linux_tid, 0);
}
