/* SPDX-License-Identifier: MIT */
/*
 * Registry: events that this process has registered, in its process page, where the daemon looks them up
 * when a server names one by its handle.
 */
#pragma once

#include <signal.h>
#include <stdint.h>

struct sigevent;

/* @server_pid: who may deliver it; EVENT_ANY_SERVER; 0 = we ourselves. Its handle, or -EAGAIN. */
int registry_add(const struct sigevent *event, int server_pid);
/* 0 or -ESRCH. */
int registry_remove(uint32_t handle);
/* The event behind @handle, for delivery by ourselves. 0 or -EINVAL. */
int registry_find(uint32_t handle, struct sigevent *ret_event);
