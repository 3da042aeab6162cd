/* SPDX-License-Identifier: MIT */
/*
 * Syspage: a picture of the machine, made once, when somebody looks.
 */
#include "sys/syspage.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS         1000000000ull
#define CPUS_MAX   256
#define CACHES_MAX 4
#define STRINGS_MAX 256

#if defined(__aarch64__)
#define PAGE_TYPE SYSPAGE_AARCH64
#else
#define PAGE_TYPE SYSPAGE_X86_64
#endif

typedef struct Page {
        struct syspage_entry header;
        struct qtime_entry qtime;
        struct cpuinfo_entry cpuinfo[CPUS_MAX];
        struct cacheattr_entry cacheattr[CACHES_MAX];
        char strings[STRINGS_MAX];
} Page;

static Page page;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The rest of the line "@key<spaces>: value" of /proc/cpuinfo; false if there is none. */
static bool cpu_property(const char *key, char *value, size_t size) {
        FILE *file = fopen("/proc/cpuinfo", "re");
        char line[512];
        bool found = false;

        while (file && !found && fgets(line, sizeof(line), file)) {
                char *colon = strchr(line, ':');

                if (strncmp(line, key, strlen(key)) != 0 || !colon)
                        continue;
                line[strcspn(line, "\n")] = 0;
                snprintf(value, size, "%s", colon + (colon[1] == ' ' ? 2 : 1));
                found = true;
        }
        if (file)
                fclose(file);
        return found;
}

static unsigned count_cpus(void) {
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

        return n < CPUS_MAX ? (unsigned)n : CPUS_MAX;
}

static void fill_cpus(unsigned n) {
        char text[64];
        unsigned mhz = 0;

        if (cpu_property("cpu MHz", text, sizeof(text)))
                sscanf(text, "%u", &mhz);
        if (!cpu_property("model name", page.strings, sizeof(page.strings)))
                snprintf(page.strings, sizeof(page.strings), "cpu");
        for (unsigned i = 0; i < n; i++)
                page.cpuinfo[i] = (struct cpuinfo_entry){ .speed = mhz, .data_cache = 0, .ins_cache = 1 };
}

/* What the system does not say is what nearly every processor has. */
static long or_else(long value, long otherwise) {
        return value > 0 ? value : otherwise;
}

static struct cacheattr_entry cache(int size, int line, int ways, unsigned next, uint32_t flags) {
        long line_size = or_else(sysconf(line), 64);

        return (struct cacheattr_entry){
                .next = (uint16_t)next,
                .ways = (uint16_t)or_else(sysconf(ways), 0),
                .line_size = (uint32_t)line_size,
                .num_lines = (uint32_t)(or_else(sysconf(size), 32768) / line_size),
                .flags = flags,
        };
}

static void fill_caches(void) {
        page.cacheattr[0] = cache(_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE,
                                  _SC_LEVEL1_DCACHE_ASSOC, 2, CACHE_FLAG_DATA);
        page.cacheattr[1] = cache(_SC_LEVEL1_ICACHE_SIZE, _SC_LEVEL1_ICACHE_LINESIZE,
                                  _SC_LEVEL1_ICACHE_ASSOC, 2, CACHE_FLAG_INSTR);
        page.cacheattr[2] = cache(_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL2_CACHE_LINESIZE,
                                  _SC_LEVEL2_CACHE_ASSOC, 3, CACHE_FLAG_UNIFIED);
        page.cacheattr[3] = cache(_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL3_CACHE_LINESIZE,
                                  _SC_LEVEL3_CACHE_ASSOC, CACHE_LIST_END, CACHE_FLAG_UNIFIED);
}

static uint64_t clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static void fill_qtime(void) {
        uint64_t real = clock_ns(CLOCK_REALTIME), monotonic = clock_ns(CLOCK_MONOTONIC);

        page.qtime = (struct qtime_entry){
                .cycles_per_sec = NS,
                .nsec_tod_adjust = real - monotonic,
                .nsec = monotonic,
                .nsec_inc = 1000000,
                .boot_time = (uint32_t)((real - clock_ns(CLOCK_BOOTTIME)) / NS),
                .timer_rate = 1,
                .timer_scale = -9,
                .timer_load = 1000000,
                .epoch = 1970,
        };
}

static struct syspage_entry_info area(const void *start, size_t bytes) {
        return (struct syspage_entry_info){
                .entry_off = (uint16_t)((const char *)start - (const char *)&page),
                .entry_size = (uint16_t)bytes,
        };
}

static void make_page(void) {
        unsigned cpus = count_cpus();

        _Static_assert(sizeof(Page) < UINT16_MAX, "offsets have 16 bits");
        fill_cpus(cpus);
        fill_caches();
        fill_qtime();
        page.header = (struct syspage_entry){
                .size = sizeof(page.header),
                .total_size = sizeof(page),
                .type = PAGE_TYPE,
                .num_cpu = (uint16_t)cpus,
                .qtime = area(&page.qtime, sizeof(page.qtime)),
                .cpuinfo = area(page.cpuinfo, cpus * sizeof(*page.cpuinfo)),
                .cacheattr = area(page.cacheattr, sizeof(page.cacheattr)),
                .strings = area(page.strings, strlen(page.strings) + 1),
        };
}

struct syspage_entry *nuntius_syspage(void) {
        pthread_once(&once, make_page);
        return &page.header;
}
