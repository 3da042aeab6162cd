/* SPDX-License-Identifier: MIT */
/*
 * The order of members, the sizes and the values that QNX programs rely on.
 * Compiled as C and as C++; what can be seen while compiling is asserted, the macros run.
 */
#include <assert.h>
#include <sys/neutrino.h>
#include <sys/netmgr.h>
#include <sys/stat.h>

#define AT(type, member, offset) static_assert(offsetof(type, member) == (offset), #type "." #member)

AT(struct _pulse, type, 0);
AT(struct _pulse, subtype, 2);
AT(struct _pulse, code, 4);
AT(struct _pulse, zero, 5);
AT(struct _pulse, value, 8);
AT(struct _pulse, scoid, 16);
static_assert(sizeof(struct _pulse) == 24, "pulse");

AT(struct _msg_info, nd, 0);
AT(struct _msg_info, srcnd, 4);
AT(struct _msg_info, pid, 8);
AT(struct _msg_info, tid, 12);
AT(struct _msg_info, chid, 16);
AT(struct _msg_info, scoid, 20);
AT(struct _msg_info, coid, 24);
AT(struct _msg_info, priority, 28);
AT(struct _msg_info, flags, 30);
AT(struct _msg_info, msglen, 32);
AT(struct _msg_info, srcmsglen, 40);
AT(struct _msg_info, dstmsglen, 48);
AT(struct _msg_info, type_id, 56);
AT(struct _msg_info, reserved, 60);
static_assert(sizeof(struct _msg_info64) == 64, "message information, under its other name");
static_assert(sizeof(struct _server_info) == 64, "server information is message information");

AT(struct sigevent, sigev_notify, 0);
AT(struct sigevent, sigev_signo, 8);
AT(struct sigevent, sigev_coid, 8);
AT(struct sigevent, sigev_id, 8);
AT(struct sigevent, sigev_notify_function, 8);
AT(struct sigevent, sigev_addr, 8);
AT(struct sigevent, sigev_handle, 8);
AT(struct sigevent, sigev_value, 16);
AT(struct sigevent, sigev_code, 24);
AT(struct sigevent, sigev_priority, 26);
AT(struct sigevent, sigev_notify_attributes, 24);
AT(struct sigevent, sigev_memop, 24);
static_assert(sizeof(struct sigevent) == 32, "event");
static_assert(sizeof(union sigval) == 8, "value");

AT(struct _cred_info, ruid, 0);
AT(struct _cred_info, suid, 8);
AT(struct _cred_info, rgid, 12);
AT(struct _cred_info, sgid, 20);
AT(struct _cred_info, ngroups, 24);
AT(struct _cred_info, grouplist, 28);
static_assert(sizeof(struct _cred_info) == 60, "credentials");
AT(struct _client_info, nd, 0);
AT(struct _client_info, pid, 4);
AT(struct _client_info, sid, 8);
AT(struct _client_info, flags, 12);
AT(struct _client_info, cred, 16);
AT(struct _client_able, range_lo, 8);
static_assert(sizeof(struct _client_able) == 24, "ability");

AT(struct nto_channel_config, num_pulses, 32);
AT(struct nto_channel_config, reserved, 44);
static_assert(sizeof(struct nto_channel_config) == 56, "channel configuration");
static_assert(sizeof(struct _itimer) == 16, "timer");
AT(struct _timer_info, flags, 32);
AT(struct _timer_info, clockid, 44);
AT(struct _timer_info, event, 56);
static_assert(sizeof(struct _clockperiod) == 8, "clock period");
static_assert(sizeof(struct _clockadjust) == 8, "clock adjustment");
AT(struct _sched_info, interval, 8);
AT(struct _sched_info, priority_priv, 16);
static_assert(sizeof(rcvid_t) == sizeof(int), "a program may keep an rcvid in an int");
static_assert(sizeof(iov_t) == sizeof(struct iovec), "a part is an iovec");

static_assert(_NTO_VERSION == 710, "the release that is followed");
static_assert(EOK == 0, "no error");
static_assert(SYSMGR_COID == 0x40000000, "the connection that everyone has");
static_assert(_NTO_TIMEOUT_SEND == 0x10 && _NTO_TIMEOUT_RECEIVE == 0x20 && _NTO_TIMEOUT_REPLY == 0x40,
              "timeouts are named by state");
static_assert(_NTO_TIMEOUT_SIGSUSPEND == 0x400 && _NTO_TIMEOUT_SEM == 0x20000, "also the later ones");
static_assert((TIMER_ABSTIME & (_NTO_TIMEOUT_MASK & ~1)) == 0, "an absolute time is told from a state");
static_assert(_PULSE_CODE_UNBLOCK == -32 && _PULSE_CODE_UNBLOCK_TIMER == -42, "the system's codes");
static_assert(SIGEV_SIGNAL == 0x81 && SIGEV_PULSE == 0x84 && SIGEV_MEMORY == 0x88, "kinds of event");
static_assert((S_IFNAM & S_IFMT) == S_IFNAM && S_IFNAM != S_IFDIR, "a type that no file has");

#define CHECK(condition) do { if (!(condition)) return __LINE__; } while (0)

static int check_events(void) {
        struct sigevent event;

        SIGEV_PULSE_INIT(&event, 7, SIGEV_PULSE_PRIO_INHERIT, 5, -3);
        CHECK(SIGEV_GET_TYPE(&event) == SIGEV_PULSE && event.sigev_coid == 7);
        CHECK(event.sigev_priority == -1 && event.sigev_code == 5 && event.sigev_value.sival_int == -3);
        SIGEV_PULSE_INIT(&event, 7, 10, 5, NULL);
        CHECK(event.sigev_value.sival_ptr == NULL);
        SIGEV_PULSE_PTR_INIT(&event, 7, 10, 5, &event);
        CHECK(event.sigev_value.sival_ptr == (void *)&event);
        SIGEV_MAKE_CRITICAL(&event);
        SIGEV_MAKE_UPDATEABLE(&event);
        CHECK(SIGEV_GET_TYPE(&event) == SIGEV_PULSE && event.sigev_notify != SIGEV_PULSE);
        SIGEV_SIGNAL_CODE_INIT(&event, SIGUSR1, 9, 4);
        CHECK(event.sigev_signo == SIGUSR1 && event.sigev_code == 4 && event.sigev_value.sival_int == 9);
        SIGEV_THREAD_INIT(&event, NULL, 1, NULL);
        CHECK(event.sigev_notify_function == NULL && event.sigev_notify_attributes == NULL);
        SIGEV_UNBLOCK_INIT(&event);
        CHECK(event.sigev_notify == SIGEV_UNBLOCK);
        return 0;
}

static int check_parts(void) {
        static const char text[] = "part";
        iov_t part;

        SETIOV_CONST(&part, text, sizeof(text));
        CHECK(GETIOVBASE(&part) == (void *)text && GETIOVLEN(&part) == sizeof(text));
        CHECK(ND_NODE_CMP(ND_LOCAL_NODE, 0) == 0 && ND_NODE_CMP(2, 1) > 0);
        return 0;
}

int main(void) {
        int line = check_events();

        return line ? line : check_parts();
}
