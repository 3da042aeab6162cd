/* SPDX-License-Identifier: MIT */
/*
 * Ports: in8() and its relatives. The kernel gives the right to a thread, which keeps it.
 */
#include "posix/ports.h"

#include "hw/inout.h"

#if defined(__x86_64__) || defined(__i386__)

#include <errno.h>
#include <sys/io.h>

static __thread enum { UNKNOWN, REFUSED, GRANTED } right;

bool ports_are_allowed(void) {
        int saved = errno;

        if (right == UNKNOWN)
                right = iopl(3) == 0 ? GRANTED : REFUSED;
        errno = saved;
        return right == GRANTED;
}

#define READ(bits, letter) return ports_are_allowed() ? in##letter((unsigned short)port) : (uint##bits##_t)-1
#define WRITE(letter)                                                                              \
        if (ports_are_allowed())                                                                   \
                out##letter(value, (unsigned short)port)

#else

bool ports_are_allowed(void) {
        return true; /* device memory: who has its address may use it */
}

#define READ(bits, letter) return *(volatile uint##bits##_t *)port
#define WRITE(letter)      *(volatile __typeof__(value) *)port = value

#endif

uint8_t in8(uintptr_t port) {
        READ(8, b);
}

uint16_t in16(uintptr_t port) {
        READ(16, w);
}

uint32_t in32(uintptr_t port) {
        READ(32, l);
}

void out8(uintptr_t port, uint8_t value) {
        WRITE(b);
}

void out16(uintptr_t port, uint16_t value) {
        WRITE(w);
}

void out32(uintptr_t port, uint32_t value) {
        WRITE(l);
}

void *in8s(void *buffer, unsigned n, uintptr_t port) {
        uint8_t *at = buffer;

        while (n-- > 0)
                *at++ = in8(port);
        return at;
}

void *in16s(void *buffer, unsigned n, uintptr_t port) {
        uint16_t *at = buffer;

        while (n-- > 0)
                *at++ = in16(port);
        return at;
}

void *in32s(void *buffer, unsigned n, uintptr_t port) {
        uint32_t *at = buffer;

        while (n-- > 0)
                *at++ = in32(port);
        return at;
}

void *out8s(const void *buffer, unsigned n, uintptr_t port) {
        const uint8_t *at = buffer;

        while (n-- > 0)
                out8(port, *at++);
        return (void *)(uintptr_t)at;
}

void *out16s(const void *buffer, unsigned n, uintptr_t port) {
        const uint16_t *at = buffer;

        while (n-- > 0)
                out16(port, *at++);
        return (void *)(uintptr_t)at;
}

void *out32s(const void *buffer, unsigned n, uintptr_t port) {
        const uint32_t *at = buffer;

        while (n-- > 0)
                out32(port, *at++);
        return (void *)(uintptr_t)at;
}
