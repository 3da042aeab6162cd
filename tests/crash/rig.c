/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[64];
static char socket_path[96];
static pid_t daemon_pid;
static uint64_t seed;

/* ---- time and chance ---- */

uint64_t rig_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void rig_pause(unsigned milliseconds) {
        struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

        while (nanosleep(&left, &left) < 0 && errno == EINTR)
                ;
}

bool rig_await(const _Atomic uint32_t *word, uint32_t value, unsigned seconds) {
        uint64_t until = rig_now() + seconds * 1000000000ull;

        while (atomic_load(word) < value) {
                if (rig_now() > until)
                        return false;
                rig_pause(1);
        }
        return true;
}

uint64_t rig_seed(void) {
        return seed;
}

/* splitmix64 */
uint64_t chance_next(uint64_t *state) {
        uint64_t z = (*state += 0x9e3779b97f4a7c15u);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

uint32_t chance_below(uint64_t *state, uint32_t n) {
        return (uint32_t)(chance_next(state) % n);
}

/* ---- verdicts ---- */

void rig_fail(const char *file, int line, const char *format, ...) {
        const char *name = strrchr(file, '/');
        va_list list;

        fprintf(stderr, "# %s:%d: [%d] ", name ? name + 1 : file, line, (int)getpid());
        va_start(list, format);
        vfprintf(stderr, format, list);
        va_end(list);
        fputc('\n', stderr);
        _exit(1);
}

/* What the threads of a hung process are doing. */
static void print_threads(pid_t pid) {
        char path[300], line[200];
        struct dirent *entry;
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        tasks = opendir(path);
        while (tasks && (entry = readdir(tasks))) {
                FILE *file;

                snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall", (int)pid, entry->d_name);
                file = fopen(path, "re");
                if (file && fgets(line, sizeof(line), file))
                        fprintf(stderr, "#   thread %s: %s", entry->d_name, line);
                if (file)
                        fclose(file);
        }
        if (tasks)
                closedir(tasks);
}

static void print_status(void) {
        char *text = wire_status();

        fprintf(stderr, "%s\n", text ? text : "# the daemon does not answer");
        free(text);
}

/* ---- the daemon ---- */

pid_t rig_daemon_pid(void) {
        return daemon_pid;
}

const char *rig_directory(void) {
        return directory;
}

bool rig_daemon_is_alive(void) {
        char path[64], state = 'Z';
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon_pid);
        file = fopen(path, "re");
        if (!file)
                return false;
        if (fscanf(file, "%*d %*s %c", &state) != 1)
                state = 'Z';
        fclose(file);
        return state != 'Z' && state != 'X';
}

/* Nobody outlives who started it, even if that one is killed. */
static void die_with_parent(pid_t parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(1);
}

static void become_daemon(int ready, const char *name, const char *value) {
        const char *program = getenv("NUNTIUSD");
        char number[12];

        if (name)
                setenv(name, value, 1);
        fcntl(ready, F_SETFD, 0);
        snprintf(number, sizeof(number), "%d", ready);
        execl(program, program, "--socket", socket_path, "--log-level", "error", "--ready-fd", number,
              (char *)NULL);
        _exit(111);
}

void rig_daemon_start(const char *name, const char *value) {
        struct pollfd wait = { .events = POLLIN };
        pid_t parent = getpid();
        char byte;
        int ready[2];

        need(pipe2(ready, O_CLOEXEC) == 0, "pipe: %m");
        daemon_pid = fork();
        if (daemon_pid == 0) {
                die_with_parent(parent);
                become_daemon(ready[1], name, value);
        }
        close(ready[1]);
        wait.fd = ready[0];
        need(poll(&wait, 1, 10000) == 1 && read(ready[0], &byte, 1) == 1, "the daemon does not start");
        close(ready[0]);
}

void rig_daemon_stop(void) {
        if (daemon_pid <= 0)
                return;
        kill(daemon_pid, SIGTERM);
        rig_wait(daemon_pid, RIG_PATIENCE, "daemon");
        daemon_pid = 0;
}

static unsigned count_daemon_fds(void) {
        char path[64];
        unsigned n = 0;
        DIR *fds;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon_pid);
        fds = opendir(path);
        while (fds && readdir(fds))
                n++;
        if (fds)
                closedir(fds);
        return n;
}

/* Sessions of those who just looked take a moment to go: the least of some looks counts. */
unsigned rig_daemon_fds(void) {
        unsigned least = count_daemon_fds();

        for (unsigned i = 0; i < 20; i++) {
                unsigned n = count_daemon_fds();

                least = n < least ? n : least;
                rig_pause(10);
        }
        return least;
}

long rig_daemon_kib(void) {
        char path[64];
        long pages = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)daemon_pid);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%*d %ld", &pages) != 1)
                pages = 0;
        if (file)
                fclose(file);
        return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- is anything left? ---- */

static bool is_empty_list(const char *status, const char *noun) {
        char empty[64];

        snprintf(empty, sizeof(empty), "\"%s\": []", noun);
        return strstr(status, empty);
}

/* The one who looks is charged for one session and its descriptor. */
static bool charges_are_one_look(const char *status) {
        static const char key[] = "\"what\": \"";

        for (const char *at = status; (at = strstr(at, key));) {
                char what[32];
                long charged;

                at += strlen(key);
                if (sscanf(at, "%31[a-z]\", \"charged\": %ld", what, &charged) != 2)
                        return false;
                if (charged > (strcmp(what, "sessions") == 0 || strcmp(what, "fds") == 0))
                        return false;
        }
        return true;
}

static bool nothing_is_left(const char *status) {
        static const char *const nouns[] = {
                "processes", "threads", "channels", "bells", "links", "extents", "lanes", "lifelines",
                "connections",
        };

        for (unsigned i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
                if (!is_empty_list(status, nouns[i]))
                        return false;
        return charges_are_one_look(status);
}

void rig_need_empty(const char *why) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        char *status;

        for (;;) {
                status = wire_status();
                need(status, "%s: the daemon does not answer", why);
                if (nothing_is_left(status))
                        break;
                if (rig_now() > until)
                        fprintf(stderr, "%s\n", status);
                need(rig_now() <= until, "%s: the daemon holds what belongs to nobody", why);
                free(status);
                rig_pause(2);
        }
        free(status);
}

/* ---- players ---- */

bool rig_has_users(void) {
        return geteuid() == 0;
}

static void become(RigUser user) {
        uid_t uid = 61000 + user;

        if (user == RIG_SELF || !rig_has_users())
                return;
        need(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0,
             "cannot become user %u: %m", (unsigned)uid);
        prctl(PR_SET_DUMPABLE, 1); /* else it could not look at its own descriptors */
}

pid_t rig_play(void (*run)(void *argument), void *argument, RigUser user) {
        pid_t parent = getpid(), pid;

        fflush(NULL);
        pid = fork();
        need(pid >= 0, "fork: %m");
        if (pid > 0)
                return pid;
        become(user);
        die_with_parent(parent);
        run(argument);
        _exit(0);
}

bool rig_has_ended(pid_t pid, int *ret_status) {
        return waitpid(pid, ret_status, WNOHANG) == pid;
}

int rig_wait(pid_t pid, unsigned seconds, const char *who) {
        uint64_t begun = rig_now();
        int status;

        while (!rig_has_ended(pid, &status)) {
                uint64_t waited = rig_now() - begun;

                if (waited > seconds * 1000000000ull) {
                        print_threads(pid);
                        print_status();
                        rig_fail(__FILE__, __LINE__, "%s (pid %d) has not ended after %u s", who,
                                 (int)pid, seconds);
                }
                rig_pause(waited < 20000000 ? 0 : 1);
        }
        return status;
}

void rig_need_good_end(pid_t pid, unsigned seconds, const char *who) {
        int status = rig_wait(pid, seconds, who);

        if (WIFSIGNALED(status))
                rig_fail(__FILE__, __LINE__, "%s was ended by signal %d", who, WTERMSIG(status));
        need(WEXITSTATUS(status) == 0, "%s failed", who);
}

void rig_need_killed(pid_t pid, unsigned seconds, const char *who) {
        int status = rig_wait(pid, seconds, who);

        need(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s did not die by SIGKILL: 0x%x", who,
             (unsigned)status);
}

void rig_kill(pid_t pid) {
        int status;

        if (pid <= 0)
                return;
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
}

void *rig_shared(size_t bytes) {
        void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        need(map != MAP_FAILED, "mmap: %m");
        return map;
}

/* ---- the course of a program ---- */

static void make_directory(void) {
        const char *base = getenv("TMPDIR");

        snprintf(directory, sizeof(directory), "%s/nuntius-test-XXXXXX",
                 base && strlen(base) < 30 ? base : "/tmp");
        need(mkdtemp(directory), "mkdtemp %s: %m", directory);
        chmod(directory, 0755);
        snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
        setenv("NUNTIUS_SOCKET", socket_path, 1);
        setenv("NUNTIUS_AUTOSTART", "0", 1);
}

static void remove_directory(void) {
        DIR *files = opendir(directory);
        struct dirent *entry;

        while (files && (entry = readdir(files)))
                if (entry->d_name[0] != '.')
                        unlinkat(dirfd(files), entry->d_name, 0);
        if (files)
                closedir(files);
        rmdir(directory);
}

void rig_open(void) {
        setvbuf(stdout, NULL, _IOLBF, 0);
        signal(SIGPIPE, SIG_IGN);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        need(getenv("NUNTIUSD"), "NUNTIUSD must name the daemon's program");
        make_directory();
}

void rig_close(void) {
        rig_daemon_stop();
        remove_directory();
}

/* Everybody of the test's group who is left, and the orphans that came to us. */
static void clear_stage(pid_t group) {
        kill(-group, SIGKILL);
        while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
                ;
}

static pid_t start_test(const RigTest *test) {
        pid_t parent = getpid(), pid;

        fflush(NULL);
        pid = fork();
        need(pid >= 0, "fork: %m");
        if (pid == 0) {
                setpgid(0, 0);
                die_with_parent(parent);
                prctl(PR_SET_CHILD_SUBREAPER, 1);
                test->run();
                fflush(NULL);
                _exit(0);
        }
        setpgid(pid, pid);
        return pid;
}

static int watch_test(pid_t pid, unsigned seconds) {
        uint64_t until = rig_now() + seconds * 1000000000ull;
        siginfo_t info;

        for (;;) {
                info.si_pid = 0; /* not reaped yet: its group id stays its own until the stage is cleared */
                waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
                if (info.si_pid == pid)
                        return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
                if (rig_now() > until)
                        return -1;
                rig_pause(2);
        }
}

/* A failure of the emptiness check ends a process; here it must be one of its own. */
static bool is_empty_after(const char *name) {
        int status = 1;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                rig_need_empty(name);
                _exit(0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status == 0;
}

int rig_run(const RigTest *test) {
        uint64_t begun = rig_now();
        pid_t pid = start_test(test);
        int result = watch_test(pid, test->seconds ? test->seconds : 60);

        if (result != 0 && result != 77)
                print_status();
        clear_stage(pid);
        if (result == 0 && daemon_pid > 0 && !is_empty_after(test->name))
                result = 1;
        printf("%s %s (%.2f s)%s\n", result == 0 ? "ok" : result == 77 ? "SKIPPED" : "FAILED", test->name,
               (double)(rig_now() - begun) / 1e9, result < 0 ? " has not ended in time" : "");
        return result;
}

static void read_arguments(int argc, char **argv) {
        seed = rig_now();
        for (int i = 1; i + 1 < argc; i++)
                if (strcmp(argv[i], "--seed") == 0)
                        seed = strtoull(argv[i + 1], NULL, 0);
}

static const char *only(int argc, char **argv) {
        for (int i = 1; i + 1 < argc; i++)
                if (strcmp(argv[i], "--only") == 0)
                        return argv[i + 1];
        return NULL;
}

static bool daemon_was_not_to_die(void) {
        if (daemon_pid <= 0 || rig_daemon_is_alive())
                return true;
        printf("FAILED the daemon is dead\n");
        return false;
}

static int run_all(const char *suite, const RigTest *tests, size_t n, const char *wanted) {
        unsigned failed = 0, skipped = 0, run = 0;

        for (size_t i = 0; i < n; i++) {
                int result;

                if (wanted && strcmp(wanted, tests[i].name) != 0)
                        continue;
                result = rig_run(&tests[i]);
                run++;
                skipped += result == 77;
                failed += result != 0 && result != 77;
                if (!daemon_was_not_to_die()) {
                        failed++;
                        break;
                }
        }
        rig_close();
        printf("%s: %u tests, %u failed, %u skipped\n", suite, run, failed, skipped);
        return failed ? 1 : run && skipped == run ? 77 : 0;
}

static void begin(const char *suite, int argc, char **argv) {
        read_arguments(argc, argv);
        rig_open();
        printf("%s: --seed %llu%s\n", suite, (unsigned long long)seed,
               rig_has_users() ? "" : "; not root, so everybody is one user");
}

int rig_main(const char *suite, const RigTest *tests, size_t n, int argc, char **argv) {
        begin(suite, argc, argv);
        rig_daemon_start(NULL, NULL);
        return run_all(suite, tests, n, only(argc, argv));
}

int rig_main_without_daemon(const char *suite, const RigTest *tests, size_t n, int argc, char **argv) {
        begin(suite, argc, argv);
        return run_all(suite, tests, n, only(argc, argv));
}
