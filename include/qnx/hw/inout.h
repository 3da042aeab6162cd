/* SPDX-License-Identifier: MIT */
/*
 * <hw/inout.h>: input and output ports. On x86 these are the processor's ports, elsewhere words of device memory at
 * the address that mmap_device_io() gave.
 */
#pragma once

#include <stdint.h>
#include <sys/cdefs.h>

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * in8: read a port, or write it
 *
 * in8(), in16() and in32() read 8, 16 and 32 bits; out8(), out16() and out32() write them. The s forms read or
 * write `n` words one after the other at one port, from or to `buffer`, and return the address behind the last.
 *
 * Returns: what was read; all bits are set where the thread has no right to the port, as on a bus where
 *   nobody answers. Writing does nothing then.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation. Our choice: no fault without the right (CAP_SYS_RAWIO), which each thread asks
 *   for with its first port; mmap_device_io() says whether there is one.
 * See: mmap_device_io
 */
uint8_t in8(uintptr_t port);
uint16_t in16(uintptr_t port);
uint32_t in32(uintptr_t port);
void out8(uintptr_t port, uint8_t value);
void out16(uintptr_t port, uint16_t value);
void out32(uintptr_t port, uint32_t value);
void *in8s(void *buffer, unsigned n, uintptr_t port);
void *in16s(void *buffer, unsigned n, uintptr_t port);
void *in32s(void *buffer, unsigned n, uintptr_t port);
void *out8s(const void *buffer, unsigned n, uintptr_t port);
void *out16s(const void *buffer, unsigned n, uintptr_t port);
void *out32s(const void *buffer, unsigned n, uintptr_t port);

#pragma GCC visibility pop
__END_DECLS

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define inle16(port)         in16(port)
#define inle32(port)         in32(port)
#define outle16(port, value) out16(port, value)
#define outle32(port, value) out32(port, value)
#define inbe16(port)         __builtin_bswap16(in16(port))
#define inbe32(port)         __builtin_bswap32(in32(port))
#define outbe16(port, value) out16(port, __builtin_bswap16(value))
#define outbe32(port, value) out32(port, __builtin_bswap32(value))
#endif
