/* SPDX-License-Identifier: MIT */
/*
 * UIO: finding the device. PCI devices say which interrupt they have; of others the kernel names the driver in
 * /proc/interrupts.
 */
#include "neutrino/uio.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS "/sys/class/uio"

/* ---- stand-ins ---- */

static bool stand_in(int intr, int *ret_fd) {
        const char *text = secure_getenv("NUNTIUS_UIO");
        int number, fd, n = 0;

        while (text && sscanf(text, "%d=%d%n", &number, &fd, &n) == 2) {
                if (number == intr) {
                        *ret_fd = fd;
                        return true;
                }
                text += n;
                text = *text == ',' ? text + 1 : NULL;
        }
        return false;
}

/* ---- devices ---- */

/* The first line of a file of @device, without its end. */
static bool read_line(const char *device, const char *file, char *line, size_t room) {
        char path[300];
        FILE *stream;
        bool done;

        snprintf(path, sizeof(path), CLASS "/%s/%s", device, file);
        stream = fopen(path, "re");
        if (!stream)
                return false;
        done = fgets(line, (int)room, stream) != NULL;
        fclose(stream);
        line[strcspn(line, "\n")] = '\0';
        return done;
}

static bool says_interrupt(const char *device, int intr) {
        char line[32];

        return read_line(device, "device/irq", line, sizeof(line)) && atoi(line) == intr;
}

/* The actions of one line are the words behind the counters, with commas between them. */
static bool line_names(const char *line, int intr, const char *name) {
        size_t n = strlen(name);
        const char *at;
        char *end;

        if (strtol(line, &end, 10) != intr || *end != ':')
                return false;
        for (at = strstr(end, name); at; at = strstr(at + 1, name))
                if (at[-1] == ' ' && (at[n] == '\0' || at[n] == '\n' || at[n] == ','))
                        return true;
        return false;
}

static bool kernel_names(const char *device, int intr) {
        char name[64], line[4096];
        bool found = false;
        FILE *stream;

        if (!read_line(device, "name", name, sizeof(name)) || !name[0])
                return false;
        stream = fopen("/proc/interrupts", "re");
        while (stream && !found && fgets(line, sizeof(line), stream))
                found = line_names(line, intr, name);
        if (stream)
                fclose(stream);
        return found;
}

static bool find_device(int intr, char *path, size_t room) {
        DIR *dir = opendir(CLASS);
        struct dirent *entry;
        bool found = false;

        while (dir && !found && (entry = readdir(dir))) {
                if (strncmp(entry->d_name, "uio", 3) != 0)
                        continue;
                found = says_interrupt(entry->d_name, intr) || kernel_names(entry->d_name, intr);
                if (found)
                        snprintf(path, room, "/dev/%s", entry->d_name);
        }
        if (dir)
                closedir(dir);
        return found;
}

int uio_open(int intr, int *ret_fd, bool *ret_owned) {
        char path[300];
        int fd;

        *ret_owned = false;
        if (stand_in(intr, ret_fd))
                return 0;
        if (!find_device(intr, path, sizeof(path)))
                return -ENOTSUP;
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return errno == EACCES || errno == EPERM ? -EPERM : -errno;
        *ret_fd = fd;
        *ret_owned = true;
        return 0;
}

void uio_unmask(int fd, bool unmasked) {
        int32_t word = unmasked;
        ssize_t n;

        do
                n = write(fd, &word, sizeof(word));
        while (n < 0 && errno == EINTR);
}
