/* SPDX-License-Identifier: MIT */
#include "runtime/pulse.h"

#include "base/failpoint.h"
#include "runtime/boost.h"
#include "runtime/connection.h"
#include "runtime/session.h"
#include "shm/bell.h"
#include "shm/clock.h"
#include "shm/ring.h"

#include <errno.h>

int pulse_send(int coid, unsigned priority, int code, uint64_t value) {
        Connection *connection;
        RingPulse pulse;
        int r = connection_look_up(coid, &connection);

        if (r < 0)
                return r == -ENOMEM ? -EAGAIN : r;
        if (!connection_is_live(connection))
                return -EBADF;
        if (code < 0 && connection->server_pid != session_pid())
                return -EPERM;
        pulse = (RingPulse){
                .stamp = clock_stamp(),
                .value = value,
                .scoid = connection->scoid,
                .coid = coid,
                .code = (int8_t)code,
                .priority = (uint8_t)priority,
        };
        if (!ring_put(&connection->link->map->ring, &pulse))
                return -EAGAIN;
        FAILPOINT("pulse:put");
        bell_call(connection->bell, connection->lane, BELL_EXPECTS_PULSES);
        boost_after_pulse(&thread_this, connection, priority);
        return 0;
}
