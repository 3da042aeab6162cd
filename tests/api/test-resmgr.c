/* SPDX-License-Identifier: MIT */
/* A resource manager in one process, clients with open, read, write, stat, devctl in another. */
#include "harness.h"

#include <devctl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/dispatch.h>
#include <sys/iofunc.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TYPE_END   (_IO_MAX + 1)
#define TYPE_OWN   (_IO_MAX + 2)
#define DCMD_ADD   __DIOTF(_DCMD_MISC, 1, int)
#define DCMD_OTHER __DIOTF(_DCMD_MISC, 2, int)

/* What the manager has seen; shared with the test. */
typedef struct Seen {
        volatile int opens, closes, unblocks, held;
        volatile int log_length;
        char log[64]; /* o: open, l: lock, s: stat, u: unlock, c: close */
        char path[256];
} Seen;

static Seen *seen;
static char name[64];
static volatile int is_over;
static int held_rcvid;
static iofunc_attr_t attr;

static void note(char what) {
        if (seen->log_length < (int)sizeof(seen->log))
                seen->log[seen->log_length++] = what;
}

/* ---- the manager ---- */

static int io_open(resmgr_context_t *ctp, io_open_t *msg, RESMGR_HANDLE_T *handle, void *extra) {
        int r = iofunc_open_default(ctp, msg, handle, extra);

        snprintf(seen->path, sizeof(seen->path), "%s", msg->connect.path);
        note('o');
        if (r == EOK)
                seen->opens++;
        return r;
}

static int io_close_ocb(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb) {
        note('c');
        seen->closes++;
        return iofunc_close_ocb_default(ctp, reserved, ocb);
}

static int io_stat(resmgr_context_t *ctp, io_stat_t *msg, RESMGR_OCB_T *ocb) {
        note('s');
        return iofunc_stat_default(ctp, msg, ocb);
}

static int lock_ocb(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb) {
        note('l');
        return iofunc_lock_ocb_default(ctp, reserved, ocb);
}

static int unlock_ocb(resmgr_context_t *ctp, void *reserved, RESMGR_OCB_T *ocb) {
        note('u');
        return iofunc_unlock_ocb_default(ctp, reserved, ocb);
}

static const char text[] = "what a manager says";

static int read_text(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb) {
        size_t left, n;
        int r = iofunc_read_verify(ctp, msg, ocb, NULL);

        if (r != EOK)
                return r;
        if ((msg->i.xtype & _IO_XTYPE_MASK) != _IO_XTYPE_NONE)
                return ENOSYS;
        left = ocb->offset < (off_t)strlen(text) ? strlen(text) - (size_t)ocb->offset : 0;
        n = msg->i.nbytes < left ? msg->i.nbytes : left;
        _IO_SET_READ_NBYTES(ctp, n);
        SETIOV(ctp->iov, text + ocb->offset, n);
        ocb->offset += (off_t)n;
        return _RESMGR_NPARTS(n > 0);
}

static int read_nodev(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb) {
        (void)ctp;
        (void)msg;
        (void)ocb;
        return ENODEV;
}

/* Held until something is written. */
static int read_held(resmgr_context_t *ctp, io_read_t *msg, RESMGR_OCB_T *ocb) {
        (void)msg;
        (void)ocb;
        held_rcvid = ctp->rcvid;
        seen->held = 1;
        return _RESMGR_NOREPLY;
}

static int write_release(resmgr_context_t *ctp, io_write_t *msg, RESMGR_OCB_T *ocb) {
        char bytes[64] = "";
        size_t n = _IO_WRITE_GET_NBYTES(msg);
        int r = iofunc_write_verify(ctp, msg, ocb, NULL);

        if (r != EOK)
                return r;
        if (n > sizeof(bytes))
                return EMSGSIZE;
        ck_assert_int_eq(resmgr_msgread(ctp, bytes, n, sizeof(msg->i)), (ssize_t)n);
        if (held_rcvid)
                MsgReply(held_rcvid, (long)n, bytes, n);
        held_rcvid = 0;
        _IO_SET_WRITE_NBYTES(ctp, n);
        return EOK;
}

static int io_unblock(resmgr_context_t *ctp, io_pulse_t *msg, RESMGR_OCB_T *ocb) {
        (void)msg;
        (void)ocb;
        seen->unblocks++;
        ck_assert_int_eq(ctp->rcvid, held_rcvid);
        held_rcvid = 0;
        return EINTR;
}

static int io_devctl(resmgr_context_t *ctp, io_devctl_t *msg, RESMGR_OCB_T *ocb) {
        int r = iofunc_devctl_default(ctp, msg, ocb), number;

        if (r != _RESMGR_DEFAULT)
                return r;
        if (msg->i.dcmd != DCMD_ADD)
                return _RESMGR_DEFAULT;
        memcpy(&number, _DEVCTL_DATA(msg->i), sizeof(number));
        number++;
        memset(&msg->o, 0, sizeof(msg->o));
        msg->o.ret_val = 5;
        msg->o.nbytes = sizeof(number);
        memcpy(_DEVCTL_DATA(msg->o), &number, sizeof(number));
        return _RESMGR_PTR(ctp, &msg->o, sizeof(msg->o) + sizeof(number));
}

static int end(message_context_t *ctp, int code, unsigned flags, void *handle) {
        (void)code;
        (void)flags;
        (void)handle;
        is_over = 1;
        return MsgReply(ctp->rcvid, EOK, NULL, 0);
}

static int own(message_context_t *ctp, int code, unsigned flags, void *handle) {
        (void)code;
        (void)flags;
        return MsgReply(ctp->rcvid, (long)(intptr_t)handle, NULL, 0);
}

typedef enum Kind { PLAIN, TEXT, NODEV, HELD, DIRECTORY } Kind;

static void fill(Kind kind, resmgr_connect_funcs_t *connect, resmgr_io_funcs_t *io) {
        iofunc_func_init(_RESMGR_CONNECT_NFUNCS, connect, _RESMGR_IO_NFUNCS, io);
        if (kind == PLAIN)
                return;
        connect->open = io_open;
        io->close_ocb = io_close_ocb;
        io->devctl = io_devctl;
        io->stat = io_stat;
        io->lock_ocb = lock_ocb;
        io->unlock_ocb = unlock_ocb;
        io->unblock = io_unblock;
        io->read = kind == NODEV ? read_nodev : kind == HELD ? read_held : read_text;
        if (kind == HELD)
                io->write = write_release;
}

static void serve(Peer *me) {
        resmgr_connect_funcs_t connect;
        resmgr_io_funcs_t io;
        dispatch_t *dpp = dispatch_create_channel(me->chid, 0);
        dispatch_context_t *ctp, *next;
        int id;

        fill((Kind)me->number, &connect, &io);
        iofunc_attr_init(&attr, (me->number == DIRECTORY ? S_IFDIR : S_IFNAM) | 0666, NULL, NULL);
        id = resmgr_attach(dpp, NULL, name, _FTYPE_ANY, me->number == DIRECTORY ? _RESMGR_FLAG_DIR : 0, &connect,
                           &io, &attr);
        ck_assert_int_ge(id, 0);
        ck_assert_ok(message_attach(dpp, NULL, TYPE_END, TYPE_END, end, NULL));
        ck_assert_ok(message_attach(dpp, NULL, TYPE_OWN, TYPE_OWN, own, (void *)42));
        ctp = dispatch_context_alloc(dpp);
        peer_say(me, 1);
        while (!is_over) {
                next = dispatch_block(ctp);
                if (next)
                        dispatch_handler(ctp = next);
        }
        ck_assert_ok(resmgr_detach(dpp, id, 0));
        dispatch_context_free(ctp);
        ck_assert_ok(dispatch_destroy(dpp));
        channel_free(me->chid);
}

static Peer manager_start(Kind kind) {
        Peer manager;

        seen = memory_shared(sizeof(*seen));
        snprintf(name, sizeof(name), "/dev/nuntius-test-%d", (int)getpid());
        manager = peer_serve(serve, _NTO_CHF_UNBLOCK | _NTO_CHF_DISCONNECT, kind);
        ck_assert_int_eq(peer_hear(&manager), 1);
        return manager;
}

static void manager_end(Peer *manager) {
        uint16_t type = TYPE_END;
        int coid = connect_side(manager->pid, manager->chid);

        ck_assert_ok(MsgSend(coid, &type, sizeof(type), NULL, 0));
        connect_free(coid);
        peer_end(manager);
}

static int open_it(int flags) {
        int fd = open(name, flags);

        ck_assert_msg(fd >= 0, "open %s: %s", name, strerror(errno));
        return fd;
}

/* ---- rules ---- */

START_TEST(a_manager_with_defaults_is_like_dev_null) {
        Peer manager = manager_start(PLAIN);
        int fd = open_it(O_RDWR);
        char byte;

        ck_assert_int_eq(read(fd, &byte, 1), 0);
        ck_assert_int_eq(write(fd, "abc", 3), 3);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(a_function_that_is_not_there_is_enosys) {
        Peer manager = manager_start(PLAIN);
        int fd = open_it(O_RDWR);

        ck_assert_fails(ftruncate(fd, 0), ENOSYS);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(without_dir_only_the_path_itself_is_served) {
        Peer manager = manager_start(PLAIN);
        char below[80];

        snprintf(below, sizeof(below), "%s/y", name);
        errno = 0;
        ck_assert_int_eq(open(below, O_RDONLY), -1);
        ck_assert(errno == ENOENT || errno == ENOTDIR);
        manager_end(&manager);
}
END_TEST

START_TEST(with_dir_the_rest_of_the_path_is_seen) {
        Peer manager = manager_start(DIRECTORY);
        char below[80];
        int fd;

        snprintf(below, sizeof(below), "%s//a/./b", name);
        fd = open(below, O_RDONLY);
        ck_assert_int_ge(fd, 0);
        ck_assert_str_eq(seen->path, "a/b");
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(reads_go_on_where_they_stopped_and_end) {
        Peer manager = manager_start(TEXT);
        int fd = open_it(O_RDONLY);
        char bytes[64] = "";

        ck_assert_int_eq(read(fd, bytes, 4), 4);
        ck_assert_mem_eq(bytes, "what", 4);
        ck_assert_int_eq(lseek(fd, 1, SEEK_CUR), 5);
        ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), (int)strlen(text) - 5);
        ck_assert_mem_eq(bytes, text + 5, strlen(text) - 5);
        ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), 0);
        ck_assert_int_eq(pread(fd, bytes, 4, 0), 4);
        ck_assert_mem_eq(bytes, "what", 4);
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), (int)strlen(text));
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(an_error_of_the_handler_is_the_clients) {
        Peer manager = manager_start(NODEV);
        int fd = open_it(O_RDONLY);
        char byte;

        ck_assert_fails(read(fd, &byte, 1), ENODEV);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(who_opened_for_reading_cannot_write) {
        Peer manager = manager_start(PLAIN);
        int fd = open_it(O_RDONLY);

        ck_assert_fails(write(fd, "x", 1), EBADF);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

static void *read_one(void *fd) {
        static char bytes[8];
        ssize_t n = read(*(int *)fd, bytes, sizeof(bytes));

        ck_assert_int_eq(n, 3);
        return bytes;
}

START_TEST(a_held_read_is_answered_later) {
        Peer manager = manager_start(HELD);
        int fd = open_it(O_RDWR);
        Thread reader = thread_start(read_one, &fd);

        wait_for_word(&seen->held, 1);
        ck_assert_int_eq(write(fd, "abc", 3), 3);
        ck_assert_str_eq(thread_end(reader), "abc");
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

static void on_signal(int signo) {
        (void)signo;
}

static void blocked_reader(Peer *me) {
        struct sigaction act = { .sa_handler = on_signal };
        int fd = open_it(O_RDONLY);
        char byte;

        (void)me;
        sigaction(SIGUSR1, &act, NULL);
        ck_assert_fails(read(fd, &byte, 1), EINTR);
        ck_assert_ok(close(fd));
}

START_TEST(a_signal_calls_the_unblock_handler) {
        Peer manager = manager_start(HELD);
        Peer reader = peer_start(blocked_reader, manager.chid, 0);

        wait_for_word(&seen->held, 1);
        ck_assert_ok(kill(reader.pid, SIGUSR1));
        peer_end(&reader);
        ck_assert_int_eq(seen->unblocks, 1);
        manager_end(&manager);
}
END_TEST

START_TEST(an_unknown_devctl_is_enotty) {
        Peer manager = manager_start(TEXT);
        int fd = open_it(O_RDONLY), number = 1;

        errno = 4711;
        ck_assert_int_eq(devctl(fd, DCMD_OTHER, &number, sizeof(number), NULL), ENOTTY);
        ck_assert_int_eq(errno, 4711);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(devctl_brings_data_and_a_value) {
        Peer manager = manager_start(TEXT);
        int fd = open_it(O_RDONLY), number = 1, info = 0;

        ck_assert_int_eq(devctl(fd, DCMD_ADD, &number, sizeof(number), &info), EOK);
        ck_assert_int_eq(number, 2);
        ck_assert_int_eq(info, 5);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        ck_assert_ok(close(fd));
        manager_end(&manager);
}
END_TEST

START_TEST(the_last_close_closes_once) {
        Peer manager = manager_start(TEXT);
        int fd = open_it(O_RDONLY), copy = dup(fd);
        char byte;

        ck_assert_ok(close(fd));
        ck_assert_int_eq(seen->closes, 0);
        ck_assert_int_eq(read(copy, &byte, 1), 1);
        ck_assert_ok(close(copy));
        ck_assert_int_eq(seen->opens, 1);
        ck_assert_int_eq(seen->closes, 1);
        manager_end(&manager);
}
END_TEST

static void opens_two(Peer *me) {
        open_it(O_RDONLY);
        open_it(O_RDONLY);
        peer_say(me, 1);
        peer_hear(me);
}

START_TEST(a_killed_client_has_all_its_files_closed) {
        Peer manager = manager_start(TEXT);
        Peer client = peer_start(opens_two, manager.chid, 0);

        ck_assert_int_eq(peer_hear(&client), 1);
        peer_kill(&client);
        wait_for_word(&seen->closes, 2);
        ck_assert_int_eq(seen->opens, 2);
        manager_end(&manager);
}
END_TEST

/* The child reads what its parent has opened, and has it open after the parent has closed it. */
START_TEST(a_child_inherits_open_files) {
        Peer manager = manager_start(TEXT);
        int fd = open_it(O_RDONLY), status;
        char byte[2];
        pid_t child = fork();

        if (child == 0)
                _exit(read(fd, byte, 2) == 2 && byte[0] == 'w' ? 0 : 1);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(read(fd, byte, 1), 1);
        ck_assert_int_eq(byte[0], 'a');
        ck_assert_ok(close(fd));
        ck_assert_int_eq(seen->closes, 1);
        manager_end(&manager);
}
END_TEST

START_TEST(stat_is_one_message) {
        Peer manager = manager_start(TEXT);
        struct stat st;

        ck_assert_ok(stat(name, &st));
        ck_assert_uint_eq(st.st_mode, S_IFNAM | 0666);
        ck_assert_uint_eq(st.st_nlink, 1);
        wait_for_word(&seen->closes, 1);
        ck_assert_mem_eq(seen->log, "olsuc", 5);
        manager_end(&manager);
}
END_TEST

START_TEST(own_messages_reach_their_function) {
        Peer manager = manager_start(TEXT);
        int coid = connect_side(manager.pid, manager.chid), fd = open_it(O_RDONLY);
        uint16_t type = TYPE_OWN, unknown = _IO_MAX + 77;

        ck_assert_int_eq(MsgSend(coid, &type, sizeof(type), NULL, 0), 42);
        ck_assert_int_eq(MsgSend(fd, &type, sizeof(type), NULL, 0), 42);
        ck_assert_fails(MsgSend(coid, &unknown, sizeof(unknown), NULL, 0), ENOSYS);
        ck_assert_ok(close(fd));
        connect_free(coid);
        manager_end(&manager);
}
END_TEST

START_TEST(mode_owner_and_times_can_be_changed) {
        Peer manager = manager_start(TEXT);
        struct timespec times[2] = { { .tv_sec = 11, .tv_nsec = 1 }, { .tv_sec = 22, .tv_nsec = 2 } };
        struct stat st;

        ck_assert_ok(chmod(name, 0640));
        ck_assert_ok(utimensat(AT_FDCWD, name, times, 0));
        ck_assert_ok(stat(name, &st));
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        ck_assert_int_eq(st.st_atim.tv_sec, 11);
        ck_assert_int_eq(st.st_mtim.tv_nsec, 2);
        ck_assert_ok(access(name, R_OK));
        manager_end(&manager);
}
END_TEST

START_TEST(streams_read_a_managers_file) {
        Peer manager = manager_start(TEXT);
        FILE *stream = fopen(name, "r");
        char line[64];

        ck_assert_ptr_nonnull(stream);
        ck_assert_ptr_nonnull(fgets(line, sizeof(line), stream));
        ck_assert_str_eq(line, text);
        ck_assert_ok(fclose(stream));
        ck_assert_int_eq(seen->closes, 1);
        manager_end(&manager);
}
END_TEST

START_TEST(a_manager_that_ends_takes_its_name_along) {
        Peer manager = manager_start(TEXT);

        peer_kill(&manager);
        wait_for_oblivion(manager.pid);
        ck_assert_fails(open(name, O_RDONLY), ENOENT);
}
END_TEST

HARNESS_MAIN("resmgr", a_manager_with_defaults_is_like_dev_null, a_function_that_is_not_there_is_enosys,
             without_dir_only_the_path_itself_is_served, with_dir_the_rest_of_the_path_is_seen,
             reads_go_on_where_they_stopped_and_end, an_error_of_the_handler_is_the_clients,
             who_opened_for_reading_cannot_write, a_held_read_is_answered_later,
             a_signal_calls_the_unblock_handler, an_unknown_devctl_is_enotty, devctl_brings_data_and_a_value,
             the_last_close_closes_once, a_killed_client_has_all_its_files_closed, a_child_inherits_open_files,
             stat_is_one_message, own_messages_reach_their_function, mode_owner_and_times_can_be_changed,
             streams_read_a_managers_file, a_manager_that_ends_takes_its_name_along)
