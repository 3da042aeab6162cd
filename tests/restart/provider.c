/* SPDX-License-Identifier: MIT */
#include "provider.h"

#include "rig.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/nuntius/nuntiusd.sock"
#define LOOKS 20 /* a number of descriptors must come so often, one after the other */

static bool is_systemd;
static pid_t hold;

void provider_init(void) {
        const char *name = getenv("NUNTIUS_PROVIDER");

        is_systemd = name && strcmp(name, "systemd") == 0;
}

bool provider_is_systemd(void) {
        return is_systemd;
}

const char *provider_name(void) {
        return is_systemd ? "systemd" : "nuntius-hold";
}

pid_t provider_pid(void) {
        return is_systemd ? 1 : hold;
}

/* ---- nuntius-hold ---- */

static void become_hold(int ready, const char *const *names, pid_t parent) {
        const char *program = getenv("NUNTIUS_HOLD_PROGRAM"), *level = getenv("NUNTIUS_STORM_LOG");
        char number[12];

        prctl(PR_SET_PDEATHSIG, SIGINT);
        if (getppid() != parent)
                _exit(1);
        for (; names && *names; names += 2)
                setenv(names[0], names[1], 1);
        fcntl(ready, F_SETFD, 0);
        snprintf(number, sizeof(number), "%d", ready);
        if (!level) /* a line for each of 500 deaths is no news here */
                dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        execl(program, program, "--ready-fd", number, "--", getenv("NUNTIUSD"), "--socket", getenv("NUNTIUS_SOCKET"),
              "--log-level", level ? level : "error", (char *)NULL);
        _exit(111);
}

void provider_start(const char *const *names) {
        struct pollfd wait = { .events = POLLIN };
        pid_t parent = getpid();
        char byte;
        int ready[2];

        if (is_systemd) {
                setenv("NUNTIUS_SOCKET", SYSTEM_SOCKET, 1);
                return;
        }
        need(getenv("NUNTIUS_HOLD_PROGRAM"), "NUNTIUS_HOLD_PROGRAM must name nuntius-hold");
        need(pipe2(ready, O_CLOEXEC) == 0, "pipe: %m");
        hold = fork();
        if (hold == 0)
                become_hold(ready[1], names, parent);
        close(ready[1]);
        wait.fd = ready[0];
        need(poll(&wait, 1, 30000) == 1 && read(ready[0], &byte, 1) == 1, "nuntius-hold does not start");
        close(ready[0]);
}

void provider_stop(void) {
        if (is_systemd || hold <= 0)
                return;
        kill(hold, SIGTERM);
        need(rig_wait(hold, RIG_PATIENCE, "nuntius-hold") == 0, "nuntius-hold does not end well");
        hold = 0;
}

static pid_t child_of_hold(void) {
        char path[64];
        int pid = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)hold, (int)hold);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%d", &pid) != 1)
                pid = 0;
        if (file)
                fclose(file);
        return pid;
}

/* ---- systemd ---- */

static bool is_daemon(const char *number) {
        char path[300], name[32] = "", state;
        int parent = 0;
        FILE *file;

        if (!isdigit(number[0]))
                return false;
        snprintf(path, sizeof(path), "/proc/%s/stat", number);
        file = fopen(path, "re");
        if (file && fscanf(file, "%*d (%31[^)]) %c %d", name, &state, &parent) != 3)
                name[0] = '\0';
        if (file)
                fclose(file);
        return strcmp(name, "nuntiusd") == 0 && parent == 1 && state != 'Z';
}

static pid_t daemon_of_systemd(void) {
        DIR *processes = opendir("/proc");
        struct dirent *entry;
        pid_t pid = 0;

        while (processes && pid == 0 && (entry = readdir(processes)))
                if (is_daemon(entry->d_name))
                        pid = atoi(entry->d_name);
        if (processes)
                closedir(processes);
        return pid;
}

static unsigned stored_by_systemd(void) {
        FILE *output = popen("systemctl show --value -p NFileDescriptorStore nuntiusd.service", "re");
        unsigned n = 0;

        need(output && fscanf(output, "%u", &n) == 1, "systemctl does not say what is stored");
        pclose(output);
        return n;
}

/* ---- both ---- */

pid_t provider_daemon(void) {
        return is_systemd ? daemon_of_systemd() : child_of_hold();
}

pid_t provider_kill_daemon(void) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        pid_t pid;

        while ((pid = provider_daemon()) == 0 || kill(pid, SIGKILL) < 0)
                need(rig_now() < until, "%s does not start the daemon again", provider_name());
        return pid;
}

pid_t provider_await_daemon_after(pid_t than) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        pid_t pid;

        while ((pid = provider_daemon()) == 0 || pid == than) {
                need(rig_now() < until, "%s does not start the daemon again", provider_name());
                rig_pause(1);
        }
        return pid;
}

void provider_upgrade(void) {
        if (is_systemd)
                need(system("systemctl restart nuntiusd.service") == 0, "systemctl restart has failed");
        else
                kill(hold, SIGHUP);
}

static unsigned count_fds_now(void) {
        char path[64];
        unsigned n = 0;
        DIR *fds;

        if (is_systemd)
                return stored_by_systemd();
        snprintf(path, sizeof(path), "/proc/%d/fd", (int)hold);
        fds = opendir(path);
        while (fds && readdir(fds))
                n++;
        if (fds)
                closedir(fds);
        return n;
}

unsigned provider_fds(void) {
        uint64_t until = rig_now() + RIG_PATIENCE * 1000000000ull;
        unsigned n = count_fds_now();

        for (unsigned same = 0; same < LOOKS && rig_now() < until;) {
                unsigned now = count_fds_now();

                same = now == n ? same + 1 : 0;
                n = now;
                rig_pause(5);
        }
        return n;
}
