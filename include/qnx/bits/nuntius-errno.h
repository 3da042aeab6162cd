/* SPDX-License-Identifier: MIT */
/*
 * Error numbers that QNX has and Linux has not. Every other name keeps Linux's number, so these
 * start where no Linux number is. Our choice of values: 3000 plus QNX's place above 300.
 */
#pragma once

#define EOK 0 /* no error */

#ifndef EBADRPC
#define EBADRPC 2972 /* bad RPC structure */
#endif

#define ENOREMOTE     3000 /* must be done on the local machine */
#define ENONDP        3001 /* needs a non-deadlocking process */
#define EBADFSYS      3002 /* corrupted file system */
#define EMORE         3009 /* more to do: send the message again */
#define ECTRLTERM     3010 /* controlled termination */
#define ENOLIC        3011 /* no licence */
#define ESRVRFAULT    3012 /* the server's buffer is bad, not the client's */
#define EENDIAN       3013 /* the endian is not supported */
#define ESECTYPEINVAL 3014 /* invalid security type */
