/* SPDX-License-Identifier: MIT */
/*
 * nuntiusd: arguments, surroundings, then the kernel runs until told to stop.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/kernel.h"
#include "daemon/listener.h"
#include "daemon/under-hold.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SYSTEM_SOCKET  "/run/nuntius/nuntiusd.sock"
#define LINGER_DEFAULT 10.0

enum {
        EXIT_DONE = 0,
        EXIT_NO = 1,
        EXIT_USAGE = 100,
        EXIT_SYSTEM = 111,
};

typedef struct Arguments {
        KernelOptions kernel;
        LogLevel log_level;
        int ready_fd;
        const char *socket; /* NULL = default */
        bool no_hold;
} Arguments;

static const char help_text[] =
        "nuntiusd - the channel manager of Nuntius\n"
        "\n"
        "Usage: nuntiusd [OPTION...]\n"
        "\n"
        "  --socket PATH         listen there (default: " SYSTEM_SOCKET " for root,\n"
        "                        else $XDG_RUNTIME_DIR/nuntius/nuntiusd.sock\n"
        "                        or /tmp/nuntius-UID/nuntiusd.sock)\n"
        "  --private             serve this user (and root) only, in the background of whoever\n"
        "                        started it, and end some time after the last program has gone\n"
        "  --no-hold             a private daemon without nuntius-hold: its death is that of its connections\n"
        "  --linger SECONDS      how long a private daemon stays without programs (default 10)\n"
        "  --ready-fd N          write one byte to this descriptor and close it when listening; or none\n"
        "\n"
        "Limits for each user, at which its calls fail with EAGAIN; N may end in K, M or G. The defaults\n"
        "are for root and the daemon's own user, others have half of them. `nuntius status` shows them:\n"
        "  --max-processes N     programs (default 16384)\n"
        "  --max-channels N      (65536)\n"
        "  --max-connections N   (262144)\n"
        "  --max-links N         pairs of a client process and a server process (65536)\n"
        "  --max-bytes N         of shared memory (64G)\n"
        "  --max-fds N           descriptors in the daemon (3/4 of what it may open, others 1/4)\n"
        "  --max-sessions N      sockets that have not said what they are, or only look (2048)\n"
        "  --max-paths N         names in the path space (2048)\n"
        "  --max-scoids N        clients that have gone and that a server has not let go of yet (131072)\n"
        "\n"
        "  --store-max N         descriptors that the service manager's store takes, if there is one\n"
        "                        (default 24000; $FDSTORE counts for more)\n"
        "  --log-level LEVEL     error, warning, info (default) or debug\n"
        "  --help, --version\n"
        "\n"
        "A private daemon keeps no descriptor of its starter; it logs to the file that\n"
        "NUNTIUSD_LOG names, or not at all.\n";

/* ---- arguments ---- */

static int usage(const char *what, const char *value) {
        fprintf(stderr, "nuntiusd: %s%s%s; nuntiusd --help says more\n", what, value ? ": " : "",
                value ? value : "");
        return -EINVAL;
}

static bool parse_number(const char *text, double *ret_number) {
        char *end;

        errno = 0;
        *ret_number = strtod(text, &end);
        return end != text && *end == '\0' && errno == 0 && *ret_number >= 0 && *ret_number < 1e9;
}

static bool parse_limit(const char *text, uint64_t *ret_limit) {
        static const char suffixes[] = "KMG";
        unsigned long long n;
        unsigned shift = 0;
        char *end;

        errno = 0;
        n = strtoull(text, &end, 10);
        if (end == text || errno || text[0] == '-')
                return false;
        if (*end && strchr(suffixes, *end))
                shift = 10u * (unsigned)(strchr(suffixes, *end++) - suffixes + 1);
        if (*end || n == 0 || n > (UINT64_MAX >> 1) >> shift)
                return false;
        *ret_limit = n << shift;
        return true;
}

enum {
        OPTION_SOCKET = 256,
        OPTION_PRIVATE,
        OPTION_NO_HOLD,
        OPTION_LINGER,
        OPTION_READY_FD,
        OPTION_LOG_LEVEL,
        OPTION_STORE_MAX,
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_LIMIT, /* + Charge */
};

static const struct option options[] = {
        { "socket", required_argument, NULL, OPTION_SOCKET },
        { "private", no_argument, NULL, OPTION_PRIVATE },
        { "no-hold", no_argument, NULL, OPTION_NO_HOLD },
        { "linger", required_argument, NULL, OPTION_LINGER },
        { "ready-fd", required_argument, NULL, OPTION_READY_FD },
        { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
        { "store-max", required_argument, NULL, OPTION_STORE_MAX },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "max-processes", required_argument, NULL, OPTION_LIMIT + CHARGE_PROCESSES },
        { "max-channels", required_argument, NULL, OPTION_LIMIT + CHARGE_CHANNELS },
        { "max-connections", required_argument, NULL, OPTION_LIMIT + CHARGE_CONNECTIONS },
        { "max-links", required_argument, NULL, OPTION_LIMIT + CHARGE_LINKS },
        { "max-bytes", required_argument, NULL, OPTION_LIMIT + CHARGE_BYTES },
        { "max-fds", required_argument, NULL, OPTION_LIMIT + CHARGE_FDS },
        { "max-sessions", required_argument, NULL, OPTION_LIMIT + CHARGE_SESSIONS },
        { "max-paths", required_argument, NULL, OPTION_LIMIT + CHARGE_PATHS },
        { "max-scoids", required_argument, NULL, OPTION_LIMIT + CHARGE_SCOIDS },
        { NULL, 0, NULL, 0 },
};

static int say_and_exit(const char *text) {
        fputs(text, stdout);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM);
}

static int parse_option(Arguments *arguments, int option, const char *value) {
        double number;

        switch (option) {
        case OPTION_SOCKET:
                arguments->socket = value;
                return value[0] ? 0 : usage("--socket needs a path", NULL);
        case OPTION_PRIVATE:
                arguments->kernel.is_private = true;
                return 0;
        case OPTION_NO_HOLD:
                arguments->no_hold = true;
                return 0;
        case OPTION_LINGER:
                if (parse_number(value, &arguments->kernel.linger))
                        return 0;
                return usage("--linger needs a number of seconds, not", value);
        case OPTION_READY_FD:
                if (strcmp(value, "none") == 0)
                        number = -1;
                else if (!parse_number(value, &number) || number > INT32_MAX)
                        return usage("--ready-fd needs a descriptor number, not", value);
                arguments->ready_fd = (int)number;
                return 0;
        case OPTION_LOG_LEVEL:
                if (log_level_parse(value, &arguments->log_level))
                        return 0;
                return usage("there is no such log level", value);
        case OPTION_STORE_MAX:
                if (parse_limit(value, &arguments->kernel.store_max))
                        return 0;
                return usage("--store-max needs a positive number, not", value);
        case OPTION_HELP:
                return say_and_exit(help_text);
        case OPTION_VERSION:
                return say_and_exit("nuntiusd " NUNTIUS_VERSION "\n");
        }
        if (option < OPTION_LIMIT)
                return usage("wrong arguments", NULL);
        if (parse_limit(value, &arguments->kernel.limits[option - OPTION_LIMIT]))
                return 0;
        return usage("a limit is a positive number, K, M or G may follow, not", value);
}

static int parse_arguments(Arguments *arguments, int argc, char **argv) {
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                r = parse_option(arguments, option, optarg);
                if (r)
                        return r;
        }
        return optind < argc ? usage("there is no argument like", argv[optind]) : 0;
}

/* ---- surroundings ---- */

static void ignore_signals(void) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGCHLD, SIG_DFL);
}

/* Log lines must not go where a descriptor of ours got the number of a closed one. */
static void fill_standard_fds(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                (void)close(fd);
}

static void raise_fd_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int redirect(int fd, const char *path, int flags) {
        int opened = open(path, flags | O_CLOEXEC, 0600);

        if (opened < 0)
                return -errno;
        if (dup2(opened, fd) < 0)
                return -errno;
        if (opened > STDERR_FILENO)
                (void)close(opened);
        return 0;
}

/* Whoever waits for the end of our starter's pipes must not wait for us. */
static void leave_starter(Arguments *arguments) {
        unsigned first = STDERR_FILENO + 1;

        if (arguments->ready_fd >= (int)first) {
                if (arguments->ready_fd > (int)first)
                        (void)close_range(first, (unsigned)arguments->ready_fd - 1, 0);
                first = (unsigned)arguments->ready_fd + 1;
        }
        (void)close_range(first, ~0u, 0);
        (void)redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
        (void)redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
        (void)setsid();
        signal(SIGHUP, SIG_IGN);
}

/* Only when listening: until then the starter may want to read what went wrong. */
static void leave_terminal(void) {
        const char *log = getenv("NUNTIUSD_LOG");

        if (!log || redirect(STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND))
                (void)redirect(STDERR_FILENO, "/dev/null", O_WRONLY);
        if (chdir("/") < 0)
                log_warning("event=chdir-failed");
}

static int absolute_path(const char *path, char *absolute, size_t n) {
        char directory[4096];
        int length;

        if (path[0] == '/')
                length = snprintf(absolute, n, "%s", path);
        else if (getcwd(directory, sizeof(directory)))
                length = snprintf(absolute, n, "%s/%s", directory, path);
        else
                return -errno;
        return length < 0 || (size_t)length >= n ? -ENAMETOOLONG : 0;
}

/* ---- readiness ---- */

static void tell_ready_fd(int fd) {
        if (fd < 0)
                return;
        if (write(fd, "\n", 1) < 0)
                log_warning("event=ready-fd-failed");
        (void)close(fd);
}

/* ---- socket ---- */

static int open_listener(const Arguments *arguments, Legacy *legacy, Listener **ret_listener) {
        bool is_system = geteuid() == 0 && !arguments->kernel.is_private;
        char path[4096];
        int r;

        if (legacy->listen_fd >= 0)
                return listener_adopt(legacy, ret_listener);
        if (arguments->socket) {
                r = absolute_path(arguments->socket, path, sizeof(path));
                if (r)
                        return usage("the socket's path is too long", arguments->socket);
                return listener_open(path, is_system ? LISTENER_SYSTEM : LISTENER_AT_PATH, ret_listener);
        }
        if (is_system)
                return listener_open(SYSTEM_SOCKET, LISTENER_SYSTEM, ret_listener);
        r = listener_user_path(path, sizeof(path));
        if (r)
                return usage("the socket's path is too long", "$XDG_RUNTIME_DIR");
        return listener_open(path, LISTENER_USER, ret_listener);
}

/* Whoever started us need not try again; and waits for somebody who serves, which is the other one. */
static void say_stopping(bool is_served) {
        Store store;

        store_init(&store, 0);
        store_say(&store, is_served ? "READY=1\nSTOPPING=1" : "STOPPING=1");
        store_deinit(&store);
}

/* Of two private daemons that start at once, one is enough. */
static int exit_as_second(Arguments *arguments) {
        say_stopping(arguments->kernel.is_private);
        if (!arguments->kernel.is_private) {
                fprintf(stderr, "nuntiusd: another nuntiusd listens there already\n");
                return EXIT_NO;
        }
        tell_ready_fd(arguments->ready_fd);
        return EXIT_DONE;
}

static int serve(Arguments *arguments, Legacy *legacy, Listener *listener) {
        Kernel *kernel;
        int r;

        r = kernel_new(&arguments->kernel, legacy, &kernel);
        if (r) {
                fprintf(stderr, "nuntiusd: cannot start: %s\n", strerror(-r));
                listener_free(listener);
                return EXIT_SYSTEM;
        }
        tell_ready_fd(arguments->ready_fd);
        if (arguments->kernel.is_private)
                leave_terminal();
        log_info("event=start version=" NUNTIUS_VERSION " pid=%d", (int)getpid());
        kernel_run(kernel, listener);
        if (!kernel->is_leaving)
                store_say(&kernel->store, "STOPPING=1");
        kernel_free(kernel);
        return EXIT_DONE;
}

/* Returns when we are to go on ourselves. */
static void go_under_hold(Arguments *arguments, int argc, char **argv) {
        char path[4096];

        if (!arguments->kernel.is_private || arguments->no_hold || store_is_offered())
                return;
        leave_starter(arguments);
        if (arguments->socket && absolute_path(arguments->socket, path, sizeof(path)))
                return; /* said when we open it */
        under_hold_run(argc, argv, arguments->socket ? path : NULL, arguments->ready_fd);
}

int main(int argc, char **argv) {
        Arguments arguments = { .kernel = { .linger = LINGER_DEFAULT },
                                .log_level = LOG_LEVEL_INFO,
                                .ready_fd = -1 };
        _cleanup_(legacy_deinit) Legacy legacy = LEGACY_INIT;
        Listener *listener;
        int r;

        if (parse_arguments(&arguments, argc, argv))
                return EXIT_USAGE;
        fill_standard_fds();
        log_init(arguments.log_level);
        ignore_signals();
        raise_fd_limit();
        go_under_hold(&arguments, argc, argv);
        r = legacy_receive(&legacy);
        if (r) {
                fprintf(stderr, "nuntiusd: cannot take over from a predecessor: %s\n", strerror(-r));
                return EXIT_SYSTEM;
        }
        if (arguments.kernel.is_private && legacy.listen_fd < 0 && legacy.n_named == 0)
                leave_starter(&arguments);
        r = open_listener(&arguments, &legacy, &listener);
        if (r == LISTENER_E_BUSY)
                return exit_as_second(&arguments);
        if (r)
                return r == -EINVAL ? EXIT_USAGE : EXIT_SYSTEM;
        return serve(&arguments, &legacy, listener);
}
