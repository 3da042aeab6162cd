/* SPDX-License-Identifier: MIT */
/*
 * Server: the plain server of nearly every case, and a client's way to it.
 */
#pragma once

#include "duet.h"

/* Receives and replies with 8 bytes until it is ended. */
_Noreturn void server_loop(int chid, void *buffer, uint64_t room);

/* Duet.serve: makes a channel, says so, and loops; the buffer has room for Stage.bytes. */
void server_serve(Stage *stage);

/* A side-channel connection, or -errno. */
int server_attach(const Address *server);

/* Duet.begin and Duet.turn: connect; send 8 bytes and take 8 back. */
int server_begin(Stage *stage);
int server_turn(Stage *stage);

/* The 8-byte round trip. */
extern const Duet server_duet;
