/* SPDX-License-Identifier: MIT */
/*
 * Link: the header words of a link and of a notice, named by what they say.
 */
#pragma once

#include "abi/layout.h"

#include <stdbool.h>

/* Daemon, once, before the link is handed out. */
void link_init(ShmLink *link, const uint8_t token[LINK_TOKEN_BYTES]);

/* Daemon (any change), client (LIVE -> DEAD). seq_cst: partner of the recheck in a sender's wait. */
void link_set_connection(ShmLink *link, uint32_t index, uint32_t state);
uint32_t link_connection(const ShmLink *link, uint32_t index);
bool link_connection_is_live(const ShmLink *link, uint32_t index);

/* Daemon: one of the two processes has died. */
void link_set_server_gone(ShmLink *link);
void link_set_client_gone(ShmLink *link);
bool link_server_is_gone(const ShmLink *link);
bool link_client_is_gone(const ShmLink *link);

/* Daemon: fails every slot of @slots[0 .. n) that waits for the dead server, and wakes its owner. */
void link_fail_slots(ShmSlot *slots, unsigned n, int error);

/* Daemon, once; then after each WireNews that it has sent. */
void notice_init(ShmNotice *notice);
void notice_count(ShmNotice *notice);
void notice_count_boost(ShmNotice *notice);
uint32_t notice_news(const ShmNotice *notice);
