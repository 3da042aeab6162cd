/* SPDX-License-Identifier: MIT */
/*
 * <sys/syspage.h>: what the machine is like.
 *
 * On QNX the system page is memory of the kernel's. Here it is a picture of the machine, made when it is
 * first looked at, with the areas below; an area that is not there has size 0. Members keep QNX's
 * documented names; their order is ours.
 *
 *   SYSPAGE_ENTRY(qtime)->cycles_per_sec     rate of ClockCycles()
 *   _syspage_ptr->num_cpu                    processors that this process may use
 *   SYSPAGE_ENTRY(cpuinfo)[n].speed          MHz
 *   SYSPAGE_ENTRY(cacheattr)[n].line_size    bytes; the first one is the data cache nearest to the core
 *   SYSPAGE_ENTRY(strings)->data             names, at the offsets that other entries give
 */
#pragma once

#include <stdint.h>
#include <sys/cdefs.h>

struct syspage_entry_info {
        uint16_t entry_off; /* bytes from the page's start */
        uint16_t entry_size; /* bytes of the whole area */
};

#define SYSPAGE_X86     0
#define SYSPAGE_ARM     4
#define SYSPAGE_X86_64  7
#define SYSPAGE_AARCH64 8

struct syspage_entry {
        uint16_t size; /* of this structure */
        uint16_t total_size;
        uint16_t type; /* SYSPAGE_... */
        uint16_t num_cpu;
        struct syspage_entry_info qtime;
        struct syspage_entry_info cpuinfo;
        struct syspage_entry_info cacheattr;
        struct syspage_entry_info strings;
        struct syspage_entry_info hwinfo;       /* empty, as those that follow */
        struct syspage_entry_info asinfo;
        struct syspage_entry_info intrinfo;
        struct syspage_entry_info typed_strings;
        struct syspage_entry_info smp;
        struct syspage_entry_info system_private;
};

struct qtime_entry {
        uint64_t cycles_per_sec;  /* of ClockCycles() */
        uint64_t nsec_tod_adjust; /* CLOCK_REALTIME minus CLOCK_MONOTONIC when the page was made */
        uint64_t nsec;            /* CLOCK_MONOTONIC when the page was made */
        uint32_t nsec_inc;        /* a tick, as ClockPeriod() tells it at first */
        uint32_t boot_time;       /* seconds since 1970 */
        uint32_t timer_rate;      /* of the timer: one tick is timer_rate * 10 ^ timer_scale seconds */
        int32_t timer_scale;
        uint32_t timer_load;
        uint32_t intr;
        uint32_t epoch; /* year that time counts from */
        uint32_t flags;
};

#define CACHE_LIST_END 0xffff

struct cpuinfo_entry {
        uint32_t cpu;        /* identification, as the processor gives it; 0 = not known */
        uint32_t speed;      /* MHz; 0 = not known */
        uint32_t flags;
        uint16_t name;       /* offset in strings */
        uint16_t ins_cache;  /* index in cacheattr, or CACHE_LIST_END */
        uint16_t data_cache;
        uint16_t pad;
};

#define CACHE_FLAG_INSTR   0x01
#define CACHE_FLAG_DATA    0x02
#define CACHE_FLAG_UNIFIED (CACHE_FLAG_INSTR | CACHE_FLAG_DATA)

struct cacheattr_entry {
        uint16_t next; /* the next one away from the core, or CACHE_LIST_END */
        uint16_t ways;
        uint32_t line_size; /* bytes */
        uint32_t num_lines;
        uint32_t flags;
};

struct strings_entry {
        char data[4];
};

#define _SYSPAGE_ENTRY(page, entry) \
        ((struct entry##_entry *)(void *)((char *)(page) + (page)->entry.entry_off))
#define SYSPAGE_ENTRY(entry)      _SYSPAGE_ENTRY(_syspage_ptr, entry)
#define SYSPAGE_ENTRY_SIZE(entry) (_syspage_ptr->entry.entry_size)
#define SYSPAGE_CPU_ENTRY(cpu, entry) SYSPAGE_ENTRY(entry)

#define _syspage_ptr (nuntius_syspage())

__BEGIN_DECLS
#pragma GCC visibility push(default)

/*
 * nuntius_syspage: the system page
 *
 * What _syspage_ptr stands for: SYSPAGE_ENTRY(qtime), cpuinfo, cacheattr and strings, and the number of
 * processors in num_cpu. It does not change once it is made.
 *
 * Returns: its address; never NULL.
 * Blocks: no. Not a cancellation point.
 * Rule: QNX 7.1 documentation for the areas and members. The order of members is our choice.
 * See: ClockCycles
 */
struct syspage_entry *nuntius_syspage(void);

#pragma GCC visibility pop
__END_DECLS
