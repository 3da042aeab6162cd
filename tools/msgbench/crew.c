/* SPDX-License-Identifier: MIT */
/*
 * Crew: fork, pin, limit, reap.
 */
#include "crew.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int crew_core(unsigned n) {
        cpu_set_t set;

        if (sched_getaffinity(0, sizeof(set), &set))
                return -errno;
        for (int core = 0; core < CPU_SETSIZE; core++)
                if (CPU_ISSET(core, &set) && n-- == 0)
                        return core;
        return -ENODEV;
}

static int crew_pin(int core) {
        cpu_set_t set;

        if (core == CREW_ANYWHERE)
                return 0;
        CPU_ZERO(&set);
        CPU_SET(core, &set);
        return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void crew_begin(pid_t parent, int core, unsigned seconds) {
        int r;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(1);
        signal(SIGALRM, SIG_DFL);
        alarm(seconds);
        r = crew_pin(core);
        if (r)
                crew_exit(r);
}

pid_t crew_fork(int core, unsigned seconds) {
        pid_t parent = getpid();
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                crew_begin(parent, core, seconds);
        return pid;
}

static int crew_wait(pid_t pid, int *ret_status) {
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int crew_join(pid_t pid) {
        int status;
        int r = crew_wait(pid, &status);

        if (r)
                return r;
        if (WIFEXITED(status))
                return -WEXITSTATUS(status);
        return WTERMSIG(status) == SIGALRM ? -ETIMEDOUT : -ECHILD;
}

void crew_end(pid_t pid) {
        int status;

        if (pid <= 0)
                return;
        kill(pid, SIGKILL);
        crew_wait(pid, &status);
}

/* Numbers beyond one byte are none of errno's: the exit status carries it. */
void crew_exit(int r) {
        _exit(r < 0 && r > -256 ? -r : r ? EIO : 0);
}

void *crew_memory(size_t bytes) {
        void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        return memory == MAP_FAILED ? NULL : memory;
}

int gate_new(int gate[2]) {
        return pipe(gate) ? -errno : 0;
}

static void gate_close_end(int *end) {
        if (*end >= 0)
                close(*end);
        *end = -1;
}

void gate_free(int gate[2]) {
        gate_close_end(&gate[0]);
        gate_close_end(&gate[1]);
}

/* Both move less than PIPE_BUF bytes, which a pipe passes whole. */
int gate_write(int gate[2], const void *bytes, size_t n) {
        ssize_t done;

        do
                done = write(gate[1], bytes, n);
        while (done < 0 && errno == EINTR);
        return done == (ssize_t)n ? 0 : -EIO;
}

int gate_read(int gate[2], void *bytes, size_t n) {
        ssize_t done;

        gate_close_end(&gate[1]);
        do
                done = read(gate[0], bytes, n);
        while (done < 0 && errno == EINTR);
        return done == (ssize_t)n ? 0 : -EPIPE;
}

void gate_wait(int gate[2]) {
        char byte;

        while (gate_read(gate, &byte, 1) == 0)
                ;
}

int crew_ready(pid_t *pid, int gate[2], void *bytes, size_t n) {
        int r;

        if (!gate_read(gate, bytes, n))
                return 0;
        r = crew_join(*pid);
        *pid = 0;
        return r ? r : -EPIPE;
}
